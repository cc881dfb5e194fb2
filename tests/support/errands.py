"""A staged route for tests: an errand is noted, run outside, and its outcome is written down."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse
from msgspec import Struct

from monigo import customers
from monigo.api import create_app
from monigo.api.kernel.changes import Unaudited
from monigo.api.kernel.http.errors import error_response
from monigo.api.kernel.routes.declarations import staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.core.access import Permission
from monigo.core.errors import DomainError, ErrorKind
from monigo.customers import CustomerDetails
from monigo.infra.ids import new_id

NO_CHANGE = Unaudited("errands are no business of the audit log")
UNAVAILABLE = DomainError(ErrorKind.UNAVAILABLE, "outside_away", "nobody is there")


class Errand(Struct, frozen=True):
    """What is to be done outside, under a reference that the outside knows it by."""

    reference: str
    what: str


class World:
    """The outside: does each reference once, notes who asked, and hangs or fails where told to."""

    def __init__(self):
        self.begin()

    def begin(self):
        """Nothing is asked, done or to fail yet."""
        self.asked = []
        self.done = {}
        self.failures = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()

    async def run(self, errand, principal=None):
        self.asked.append((errand.reference, principal))
        self.reached.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        return self.done.setdefault(errand.reference, f"{errand.what} done")


async def note(tx, errand):
    """Write down that an errand is to be done."""
    nothing = {"email": "", "phone": "", "metadata": {}}
    await customers.create(
        tx, CustomerDetails(external_id=errand.reference, name="noted", **nothing)
    )


def app_of(services, world):
    """The application with `POST /v1/errands`, whose effects are a customer's reference and name.

    What is "refused" is refused after it was noted; a "bad outcome" is recorded, but not final.
    """
    router = APIRouter(route_class=TenantRoute)

    async def call(outside, errand):
        return await world.run(errand, outside.principal)

    async def record(tx, errand, outcome):
        if errand.what == "unrecordable":
            raise UNAVAILABLE
        await customers.update(tx, errand.reference, {"name": outcome})
        if errand.what == "declined":
            return error_response(DomainError(ErrorKind.INSUFFICIENT, "declined", "it is declined"))
        if errand.what == "bad outcome":
            return error_response(UNAVAILABLE)
        return JSONResponse({"reference": errand.reference, "outcome": outcome}, 201)

    @router.post("/errands")
    @staged(Permission.CUSTOMERS_WRITE, changes=NO_CHANGE, call=call, record=record)
    async def run_errand(tx: Tx, what: Annotated[str, Body(embed=True, min_length=1)]) -> Errand:
        errand = Errand(f"errand-{new_id()}", what)
        await note(tx, errand)
        if what == "refused":
            raise DomainError(ErrorKind.CONFLICT, "refused", "this is refused")
        return errand

    app = create_app(services)
    app.include_router(router, prefix="/v1")
    return app
