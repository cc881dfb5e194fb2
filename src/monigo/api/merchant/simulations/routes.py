"""Routes of simulations: what past usage would have cost under other prices."""

from fastapi import APIRouter
from starlette.responses import Response

from monigo import invoicing
from monigo.api.kernel.changes import Unaudited
from monigo.api.kernel.routes.declarations import Outside, atomic, staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.outgoing import Answer
from monigo.api.merchant.simulations.schemas import SimulationEnvelope, SimulationIn, SimulationOut
from monigo.core.access import Permission
from monigo.infra.db import Transaction
from monigo.invoicing import PlannedSimulation, Simulation

router = APIRouter(route_class=TenantRoute, tags=["plans"])

READS = Unaudited("it reads: a report is made of what there is")


async def _price(outside: Outside, planned: PlannedSimulation) -> Simulation | None:
    """Price a small simulation on one moment's rows; a large one is left to its job."""
    if planned.simulation_id is not None:
        return None
    async with outside.services.database.snapshot(outside.tenant) as tx:
        return await invoicing.price_at_once(tx, planned)


async def _priced(
    tx: Transaction, planned: PlannedSimulation, simulation: Simulation | None
) -> Response:
    """The report, or the job whose result will be the report."""
    if planned.simulation_id is not None:
        return _answer(await invoicing.get_simulation(tx, planned.simulation_id), 202)
    if simulation is None:
        raise AssertionError("a simulation without a job was priced at once")
    return _answer(simulation, 200)


def _answer(simulation: Simulation, status: int) -> Response:
    return Answer(SimulationEnvelope(simulation=SimulationOut.of(simulation)), status)


@router.post(
    "/plans/simulate",
    response_model=SimulationEnvelope,
    responses={202: {"model": SimulationEnvelope, "description": "large: made by a job"}},
)
@staged(Permission.PLANS_SIMULATE, changes=READS, call=_price, record=_priced)
async def simulate_prices(tx: Tx, body: SimulationIn) -> PlannedSimulation:
    """Price past usage of a plan's subscribers under other prices. Nothing is changed by it."""
    return await invoicing.plan_simulation(tx, body.simulation())


@router.get("/plans/simulations/{simulation_id}")
@atomic(Permission.PLANS_READ)
async def get_simulation(tx: Tx, simulation_id: Id) -> SimulationEnvelope:
    """Read how far a simulation has come, and its report."""
    simulation = await invoicing.get_simulation(tx, simulation_id)
    return SimulationEnvelope(simulation=SimulationOut.of(simulation))
