"""The application: all routes under both faces, documented in one OpenAPI."""

from typing import Any

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import Receive, Scope, Send

from monigo.api.hooks import routes as hooks
from monigo.api.hooks import whatsapp as whatsapp_hooks
from monigo.api.kernel.http.bodies import BodyMemory
from monigo.api.kernel.http.browsers import Browsers
from monigo.api.kernel.http.errors import ERROR_RESPONSES, ErrorBody, add_error_handlers
from monigo.api.kernel.http.request_figures import Counted
from monigo.api.kernel.http.request_log import RequestLog
from monigo.api.kernel.http.requests import bearer, named_tenant, organization_in_path
from monigo.api.kernel.routes.answering import AnsweringRoute
from monigo.api.kernel.routes.raw import RawRoute
from monigo.api.kernel.wire.openapi import add_structs
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.mails.unsubscribe import router as unsubscribing
from monigo.api.merchant.events.ingest import schemas as ingest_schemas
from monigo.api.merchant.events.ingest.routes import PATH as INGEST_PATH
from monigo.api.merchant.events.ingest.routes import IngestRoute
from monigo.api.merchant.prices import forms as price_forms
from monigo.api.merchant.routers import BACKEND_ROUTERS, SHARED_ROUTERS
from monigo.api.merchant.test_clock.routes import AdvancingClocks
from monigo.api.merchant.wallets.movements.raw import MovementsRoute
from monigo.api.merchant.webhooks import document as event_document
from monigo.api.ops.dev_mail import add_dev_mail
from monigo.api.ops.docs import add_docs
from monigo.api.ops.health import router as health
from monigo.api.ops.metrics import add_metrics
from monigo.api.people.routers import (
    OPEN_ROUTERS,
    ORGANIZATION_ROUTERS,
    PERSON_ROUTERS,
    TENANT_ROUTERS,
)
from monigo.api.portal.routers import PORTAL_ROUTERS
from monigo.api.portal.routing import declared_token
from monigo.bootstrap import Services
from monigo.infra.addresses import ClientAddresses


def create_app(services: Services) -> FastAPI:
    """The ASGI application over these services."""
    app = MonigoApi(
        title="Monigo",
        version="1",
        summary="Meters usage, prices it, invoices it; exact to the last kobo.",
        generate_unique_id_function=_operation_id,
        strict_content_type=False,
        redirect_slashes=False,
        openapi_url=None,  # served by `add_docs`, made once
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.outermost = Browsers(app.answer, services.settings.cors_origins)
    app.state.body_memory = BodyMemory()
    app.state.addresses = ClientAddresses(services.settings.trusted_proxies)
    app.state.clocks = AdvancingClocks(services)
    raw_routes: tuple[RawRoute, ...] = (
        IngestRoute(services, app.state.body_memory),
        MovementsRoute(services, app.state.body_memory, app.state.addresses),
        whatsapp_hooks.WhatsAppWebhookRoute(services, app.state.body_memory),
        hooks.ProviderWebhookRoute(services, app.state.body_memory),
    )
    app.state.raw_routes = raw_routes
    app.include_router(health)
    app.include_router(unsubscribing)
    shared: dict[str, Any] = {"responses": ERROR_RESPONSES, "dependencies": [bearer]}
    for router in (*BACKEND_ROUTERS, *SHARED_ROUTERS):
        app.include_router(router, prefix="/v1", **shared)
    shared["dependencies"] = [bearer, named_tenant]
    for router in (*TENANT_ROUTERS, *SHARED_ROUTERS):
        app.include_router(router, prefix="/api/v1", **shared)
    shared["dependencies"] = [bearer, organization_in_path]
    for router in ORGANIZATION_ROUTERS:
        app.include_router(router, prefix="/api/v1", **shared)
    shared["dependencies"] = [bearer]
    for router in PERSON_ROUTERS:
        app.include_router(router, prefix="/api/v1", **shared)
    shared["dependencies"] = [Depends(declared_token)]
    for router in PORTAL_ROUTERS:
        app.include_router(router, prefix="/api/v1/portal", **shared)
    for router in OPEN_ROUTERS:
        app.include_router(router, prefix="/api/v1", responses=ERROR_RESPONSES)
    add_error_handlers(app)
    app.add_middleware(RequestLog)
    add_docs(app)
    add_dev_mail(app, services.settings)
    add_metrics(app, services)
    _document_structs(app)
    return app


class MonigoApi(FastAPI):
    """All routes; the raw ones go around the framework's layers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.state.outermost(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request whose path is in its one spelling, and count it."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        counted = Counted(scope, send)
        try:
            for route in self.state.raw_routes:
                if route.takes(scope):
                    scope["route"] = route
                    await route(scope, receive, counted.send)
                    return
            await super().__call__(scope, receive, counted.send)
        finally:
            counted.end()


def _operation_id(route: APIRoute) -> str:
    face = "dashboard_" if route.path_format.startswith("/api/v1") else ""
    return f"{face}{route.name}"


def _document_structs(app: FastAPI) -> None:
    """Document what the framework does not know: structs, and the raw routes."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema  # The framework keeps what it made, which is added to below.
        document = generate()
        document["paths"].setdefault(INGEST_PATH, ingest_schemas.path_item())
        document["paths"].setdefault(hooks.PATH, hooks.path_item())
        document["paths"].setdefault(whatsapp_hooks.PATH, whatsapp_hooks.path_item())
        routes = [context.original_route for context in iter_route_contexts(app.routes)]
        answers = {
            answer
            for route in routes
            if isinstance(route, AnsweringRoute)
            for answer in route.answers
        }
        structs = {ErrorBody, Message, *ingest_schemas.STRUCTS, *price_forms.STRUCTS}
        add_structs(document, answers | structs | event_document.SHAPES)
        document["webhooks"] = event_document.webhooks()
        price_forms.describe_price_forms(document)
        return document

    app.openapi = openapi
