"""Simulations on the wire."""

from typing import Annotated, Self

from msgspec import Meta, convert
from pydantic import Field

from monigo.api.kernel.wire.incoming import Incoming, InstantIn, Name
from monigo.api.kernel.wire.outgoing import Instant, Money, Outgoing
from monigo.api.merchant.prices.schemas import ID_EXAMPLE, BaseFeeIn, PriceIn, price_drafts
from monigo.catalog import PRICES_MAX
from monigo.core.ids import CustomerId, PlanId, PlanSimulationId
from monigo.invoicing import CUSTOMERS_MAX, NewSimulation, Simulation, SimulationStatus


class SimulationIn(Incoming):
    """Which plan's past usage to price, and by what: `prices` is the whole proposed list.

    With `from` and `to` the periods wholly between them, else each subscription's last full one.
    """

    plan_id: Name = Field(examples=[ID_EXAMPLE])
    prices: Annotated[list[PriceIn], Field(max_length=PRICES_MAX)] = Field(
        examples=[[{"metric_id": ID_EXAMPLE, "model": "flat_unit", "unit_price": "2.5"}]]
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


class AmountsOut(Outgoing, frozen=True):
    """Subtotals before taxes: by the terms that held, as proposed, and the difference."""

    periods: int
    old_amount: Money
    new_amount: Money
    difference: Money


class CustomerAmountsOut(AmountsOut, frozen=True):
    """What a customer's periods came to and would have."""

    customer_id: CustomerId
    period_start: Instant
    period_end: Instant


class SimulationReportOut(AmountsOut, frozen=True):
    """All customers together, and each: those whose amounts change most come first."""

    currency: str
    customers_total: int
    customers_paying_more: int
    customers_paying_less: int
    truncated: Annotated[bool, Meta(description="whether there are more customers than are listed")]
    customers: list[CustomerAmountsOut]


class SimulationOut(Outgoing, frozen=True):
    """A simulation. One that was answered at once has no id."""

    id: PlanSimulationId | None
    plan_id: PlanId
    status: SimulationStatus
    subscriptions_total: int
    subscriptions_done: int
    report: Annotated[SimulationReportOut | None, Meta(description="null until it is completed")]
    error_message: str
    created_at: Instant
    completed_at: Instant | None

    @classmethod
    def of(cls, simulation: Simulation) -> Self:
        """The wire form."""
        report = simulation.report
        return cls(
            id=simulation.id,
            plan_id=simulation.proposal.plan_id,
            status=simulation.status,
            subscriptions_total=simulation.subscriptions_total,
            subscriptions_done=simulation.subscriptions_done,
            report=None if report is None else convert(report, SimulationReportOut),
            error_message=simulation.error_message,
            created_at=simulation.created_at,
            completed_at=simulation.completed_at,
        )


class SimulationEnvelope(Outgoing, frozen=True):
    """One simulation."""

    simulation: SimulationOut
