"""The application: all routes under both faces, documented in one OpenAPI."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from monigo.api import (
    billing_events,
    bills,
    credit_grants,
    customers,
    events,
    explanations,
    exports,
    health,
    ingest,
    ingest_schema,
    invoices,
    metrics,
    movements,
    movements_hot,
    organization,
    plans,
    price_overrides,
    replays,
    reservations,
    set_aside,
    simulations,
    subscriptions,
    test_clock,
    test_data,
    top_ups,
    usage,
    wallets,
)
from monigo.api.docs import add_docs
from monigo.api.kernel.bodies import HeldBodies
from monigo.api.kernel.browsers import Browsers
from monigo.api.kernel.errors import ERROR_RESPONSES, add_error_handlers
from monigo.api.kernel.raw_routes import RawRoute
from monigo.api.kernel.request_log import RequestLog
from monigo.api.kernel.requests import bearer, named_tenant
from monigo.bootstrap import Services

# One handler per resource serves both faces.
RESOURCES: tuple[APIRouter, ...] = (
    customers.router,
    events.router,  # before metrics: /metrics/event-property-keys is no metric's id
    metrics.router,
    simulations.router,
    plans.router,
    price_overrides.router,
    subscriptions.router,
    usage.router,
    replays.router,
    exports.router,  # before invoices and bills: /invoices/export is no invoice's id
    invoices.router,
    explanations.router,
    bills.router,
    billing_events.router,
    wallets.router,
    movements.router,
    reservations.router,
    credit_grants.router,
    top_ups.router,
    set_aside.router,
)


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
    app.state.bodies = HeldBodies()
    app.state.clocks = test_clock.AdvancingClocks(services)
    raw_routes: tuple[RawRoute, ...] = (
        ingest.IngestRoute(services, app.state.bodies),
        movements_hot.MovementsRoute(services, app.state.bodies),
    )
    app.state.raw_routes = raw_routes
    app.include_router(health.router)
    shared: dict[str, Any] = {"responses": ERROR_RESPONSES, "dependencies": [bearer]}
    app.include_router(organization.router, prefix="/v1", **shared)
    app.include_router(test_clock.router, prefix="/v1", **shared)
    app.include_router(test_data.router, prefix="/v1", **shared)
    for router in RESOURCES:
        app.include_router(router, prefix="/v1", **shared)
    shared["dependencies"] = [bearer, named_tenant]
    for router in RESOURCES:
        app.include_router(router, prefix="/api/v1", **shared)
    add_error_handlers(app)
    app.add_middleware(RequestLog)
    add_docs(app)
    _document_ingest(app)
    return app


class MonigoApi(FastAPI):
    """All routes; the raw ones go around the framework's layers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.state.outermost(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request whose path is in its one spelling."""
        if scope["type"] == "http":
            for route in self.state.raw_routes:
                if route.takes(scope):
                    await route(scope, receive, send)
                    return
        await super().__call__(scope, receive, send)


def _operation_id(route: APIRoute) -> str:
    face = "dashboard_" if route.path_format.startswith("/api/v1") else ""
    return f"{face}{route.name}"


def _document_ingest(app: FastAPI) -> None:
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        schema = generate()
        schema["paths"].setdefault(ingest.PATH, ingest_schema.path_item())
        return schema

    app.openapi = openapi
