"""Simulations: past usage, priced under proposed prices; nothing is changed."""

from monigo.invoicing.simulate.job import SIMULATION_JOB
from monigo.invoicing.simulate.service import (
    CUSTOMERS_MAX,
    SIMULATION,
    PlannedSimulation,
    get_simulation,
    plan_simulation,
    price_at_once,
)
from monigo.invoicing.simulate.types import NewSimulation, Simulation, SimulationStatus

__all__ = [
    "CUSTOMERS_MAX",
    "SIMULATION",
    "SIMULATION_JOB",
    "NewSimulation",
    "PlannedSimulation",
    "Simulation",
    "SimulationStatus",
    "get_simulation",
    "plan_simulation",
    "price_at_once",
]
