"""Simulations on the wire."""

from typing import Annotated, Self

from pydantic import Field

from monigo.api.kernel.wire.fields import Incoming, Instant, InstantIn, Money, Name, Outgoing
from monigo.api.merchant.prices.schemas import BaseFeeIn, PriceIn, price_drafts
from monigo.catalog import PRICES_MAX
from monigo.core.ids import CustomerId, PlanId, PlanSimulationId
from monigo.invoicing import CUSTOMERS_MAX, NewSimulation, Simulation, SimulationStatus

_EXAMPLE_ID = "0197b3c0-0000-7000-8000-000000000000"


class SimulationIn(Incoming):
    """Which plan's past usage to price, and by what: `prices` is the whole proposed list.

    With `from` and `to` the periods wholly between them, else each subscription's last full one.
    """

    plan_id: Name = Field(examples=[_EXAMPLE_ID])
    prices: Annotated[list[PriceIn], Field(max_length=PRICES_MAX)] = Field(
        examples=[[{"metric_id": _EXAMPLE_ID, "model": "flat_unit", "unit_price": "2.5"}]]
    )
    base_fee: BaseFeeIn = Field(default=None, description="unset: as it was")
    customer_ids: Annotated[list[Name] | None, Field(max_length=CUSTOMERS_MAX)] = Field(
        default=None, description="ids or external_ids; unset: all subscribers"
    )
    start: InstantIn = Field(default=None, alias="from")
    end: InstantIn = Field(default=None, alias="to")

    def simulation(self) -> NewSimulation:
        """What the client asks for.

        Raises:
            DomainError: invalid, naming all faults of the prices.
        """
        return NewSimulation(
            plan=self.plan_id,
            prices=price_drafts(self.prices),
            base_fee=self.base_fee,
            customers=self.customer_ids,
            start=self.start,
            end=self.end,
        )


class AmountsOut(Outgoing):
    """Subtotals before taxes: by the terms that held, as proposed, and the difference."""

    periods: int
    old_amount: Money
    new_amount: Money
    difference: Money


class CustomerAmountsOut(AmountsOut):
    """What a customer's periods came to and would have."""

    customer_id: CustomerId
    period_start: Instant
    period_end: Instant


class SimulationReportOut(AmountsOut):
    """All customers together, and each: those whose amounts change most come first."""

    currency: str
    customers_total: int
    customers_paying_more: int
    customers_paying_less: int
    truncated: bool = Field(description="whether there are more customers than are told")
    customers: list[CustomerAmountsOut]


class SimulationOut(Outgoing):
    """A simulation. One that was answered at once has no id."""

    id: PlanSimulationId | None
    plan_id: PlanId
    status: SimulationStatus
    subscriptions_total: int
    subscriptions_done: int
    report: SimulationReportOut | None = Field(description="null until it is completed")
    error_message: str
    created_at: Instant
    completed_at: Instant | None


class SimulationEnvelope(Outgoing):
    """One simulation."""

    simulation: SimulationOut

    @classmethod
    def of(cls, simulation: Simulation) -> Self:
        """The wire form."""
        fields = {
            "id": simulation.id,
            "plan_id": simulation.proposal.plan_id,
            "status": simulation.status,
            "subscriptions_total": simulation.subscriptions_total,
            "subscriptions_done": simulation.subscriptions_done,
            "report": simulation.report,
            "error_message": simulation.error_message,
            "created_at": simulation.created_at,
            "completed_at": simulation.completed_at,
        }
        return cls(simulation=SimulationOut.model_validate(fields))
