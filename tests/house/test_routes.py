"""Every route says what kind it is and which permission it needs; /openapi.json tells it."""

import pytest
from fastapi import APIRouter

from monigo.api import create_app
from monigo.api.kernel.routes.declarations import Kind, atomic, declaration_of, public
from monigo.api.kernel.routes.tenant import TenantRoute
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.merchant.events.ingest import schemas as ingest_schemas
from monigo.core.access import Permission

# What anybody may call.
PUBLIC = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/docs/assets/swagger-ui-bundle.js",
    "/docs/assets/swagger-ui.css",
    "/docs/assets/favicon.png",
    "/mail/unsubscribe/{token}",
}
# Those of people who want to sign in, and what there is to choose from.
OPEN = {
    "/auth/register",
    "/auth/verify-email",
    "/auth/resend-verification",
    "/auth/login",
    "/auth/second-factor",
    "/auth/second-factor/options",
    "/auth/refresh-token",
    "/auth/logout",
    "/auth/forgot-password",
    "/auth/verify-reset-code",
    "/auth/reset-password",
    "/countries",
    "/currencies",
}
# What asks for a signature.
SIGNED = {"/webhooks/{provider}/{org_id}", "/webhooks/whatsapp/{org_id}"}
# What one value of a setting needs, beside the route's permission.
OF_SETTINGS = {Permission.PAYOUTS_AUTOMATE}
# What begins its transactions itself, because it counts tries that fail.
BY_ITSELF = {
    "/auth/reauthenticate",
    "/user/second-factor/recovery-codes",
    "/user/second-factor/off",
}


@pytest.fixture
def app(backend):
    return create_app(backend.services)


def routes_of(router):
    """The routes of a router and of those that it includes, whatever their prefix."""
    for route in router.routes:
        included = getattr(route, "original_router", None)
        yield from (route,) if included is None else routes_of(included)


def test_every_route_declares_its_kind_and_its_permission(app):
    declared = [(route.path, declaration_of(route.endpoint)) for route in routes_of(app)]

    assert [path for path, told in declared if told is None] == []
    assert {path for path, told in declared if told.permission is None} == PUBLIC | OPEN
    assert {path for path, told in declared if told.kind is Kind.RAW} == PUBLIC | OPEN | BY_ITSELF


def test_every_raw_route_names_its_permissions(app):
    assert [type(route).__name__ for route in app.state.raw_routes] == [
        "IngestRoute",
        "MovementsRoute",
        "WhatsAppWebhookRoute",
        "ProviderWebhookRoute",
    ]
    assert all(route.permissions <= set(Permission) for route in app.state.raw_routes)
    # A webhook's signature says who sends it.
    without = [route.path_format for route in app.state.raw_routes if not route.permissions]
    assert set(without) == SIGNED


def test_every_permission_is_needed_by_some_route(app):
    declared = {declaration_of(route.endpoint).permission for route in routes_of(app)}
    raw = {one for route in app.state.raw_routes for one in route.permissions}

    assert (declared | raw) - {None} == set(Permission) - OF_SETTINGS


def test_the_document_tells_the_permission_of_every_operation_but_the_public_ones(app):
    paths = {**app.openapi()["paths"], "/v1/ingest": ingest_schemas.path_item()}

    untold = {
        path
        for path, operations in paths.items()
        for operation in operations.values()
        if operation.get("x-permission") not in set(Permission)
    }

    assert untold == {"/healthz", "/readyz", *SIGNED, *(f"/api/v1{path}" for path in OPEN)}


def test_the_document_is_made_once(app):
    assert app.openapi() is app.openapi()


def test_reading_needs_a_permission_to_read_and_changing_another(app):
    wrong = [
        f"{method} {path}"
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if "x-permission" in operation
        if (method == "get") != operation["x-permission"].endswith(":read")
    ]

    assert wrong == []


@pytest.fixture
def endpoint():
    async def do_nothing() -> Message:
        """Do nothing."""
        return Message(message="done")

    return do_nothing


@pytest.mark.parametrize("declare", [lambda undeclared: undeclared, public])
def test_a_tenants_route_that_declares_no_permission_is_refused(declare, endpoint):
    router = APIRouter(route_class=TenantRoute)

    with pytest.raises(TypeError, match="the route /things of a tenant declares neither"):
        router.get("/things")(declare(endpoint))


def test_a_tenants_route_that_declares_one_is_taken(endpoint):
    router = APIRouter(route_class=TenantRoute)

    router.get("/things")(atomic(Permission.CUSTOMERS_READ)(endpoint))

    assert [route.path for route in router.routes] == ["/things"]


def test_a_route_that_answers_with_no_struct_is_refused():
    async def answer_with_anything() -> dict[str, str]:
        return {}

    router = APIRouter(route_class=TenantRoute)

    with pytest.raises(TypeError, match="answer_with_anything answers with no struct"):
        router.get("/things")(atomic(Permission.CUSTOMERS_READ)(answer_with_anything))
