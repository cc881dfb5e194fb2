"""The start page on the wire."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Instant, Money, Outgoing
from monigo.core.money import format_money
from monigo.infra.db import Transaction
from monigo.reports import Amounts, Dashboard, Figures, Need, NeedKind


class AmountsOut(Outgoing, frozen=True):
    """Money of some days in one currency. Currencies are never summed."""

    currency: Annotated[str, Meta(examples=["NGN"])]
    billed: Annotated[Money, Meta(description="by invoices that became final then, void ones not")]
    collected: Annotated[Money, Meta(description="by invoices that were paid then, credits too")]
    owed_to_payees: Annotated[
        Money, Meta(description="what is still due of bills that became final then")
    ]
    paid_out: Annotated[Money, Meta(description="by bills that were paid then")]

    @classmethod
    def of(cls, amounts: Amounts) -> Self:
        """The wire form."""
        return cls(
            currency=amounts.currency,
            billed=format_money(amounts.billed),
            collected=format_money(amounts.collected),
            owed_to_payees=format_money(amounts.owed_to_payees),
            paid_out=format_money(amounts.paid_out),
        )


class FiguresOut(Outgoing, frozen=True, rename={"since": "from", "until": "to"}):
    """What happened from a midnight up to, not including, another one, both in the zone."""

    since: Instant
    until: Instant
    events: Annotated[int, Meta(description="that happened then, whatever counts them")]
    amounts: Annotated[
        list[AmountsOut], Meta(description="by currency, the default one always among them")
    ]

    @classmethod
    def of(cls, figures: Figures) -> Self:
        """The wire form."""
        return cls(
            since=figures.span.start,
            until=figures.span.end,
            events=figures.events,
            amounts=[AmountsOut.of(one) for one in figures.amounts],
        )


class OwedOut(Outgoing, frozen=True):
    """What is due of all bills in one currency."""

    currency: Annotated[str, Meta(examples=["NGN"])]
    amount: Money


class NeedOut(Outgoing, frozen=True):
    """Something that waits for a person."""

    kind: NeedKind
    count: int
    subject_ids: Annotated[
        list[UUID],
        Meta(description="the first ten: subscriptions, wallets, customers, as the kind says"),
    ]

    @classmethod
    def of(cls, need: Need) -> Self:
        """The wire form."""
        return cls(kind=need.kind, count=need.count, subject_ids=list(need.subject_ids))


class DashboardOut(Outgoing, frozen=True):
    """The start page of an organisation, in one mode."""

    is_test: bool
    as_of: Annotated[Instant, Meta(description="now, by the mode's clock")]
    timezone: Annotated[str, Meta(examples=["Africa/Lagos"])]
    today: FiguresOut
    period: FiguresOut
    owed_to_payees: Annotated[list[OwedOut], Meta(description="of all days, by currency")]
    needs_person: Annotated[list[NeedOut], Meta(description="nothing waits of a kind not listed")]


class DashboardEnvelope(Outgoing, frozen=True):
    """The start page."""

    dashboard: DashboardOut

    @classmethod
    def of(cls, tx: Transaction, dashboard: Dashboard) -> Self:
        """The wire form."""
        return cls(
            dashboard=DashboardOut(
                is_test=tx.is_test,
                as_of=dashboard.as_of,
                timezone=dashboard.timezone,
                today=FiguresOut.of(dashboard.today),
                period=FiguresOut.of(dashboard.period),
                owed_to_payees=[
                    OwedOut(currency=currency, amount=format_money(amount))
                    for currency, amount in dashboard.owed_to_payees
                ],
                needs_person=[NeedOut.of(one) for one in dashboard.needs],
            )
        )
