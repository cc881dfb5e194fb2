"""Use cases of metrics, plans and prices."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from monigo.catalog import overrides, payout_rules
from monigo.catalog import prices as price_list
from monigo.catalog.metrics import MetricDeletion, MetricUnsumming, hide_rule_metrics
from monigo.catalog.payout_rules import RuleDraft
from monigo.catalog.plans import store
from monigo.catalog.plans.events import PlanCreated, PlanDeleted, PlanEdited, PriceChanged
from monigo.catalog.plans.rules import (
    base_fee_after,
    check_base_fee,
    check_details,
    check_pays_out,
    fixed_terms,
)
from monigo.catalog.plans.types import (
    NO_BASE_FEE,
    ApplyTo,
    BaseFee,
    Plan,
    PlanChanges,
    PlanDeletion,
    PlanDetails,
    PlanHistory,
    PlanTermsChange,
    PlanType,
)
from monigo.catalog.prices import NO_PRICE_CHANGES, PriceChanges, PriceDraft, price_changes
from monigo.core.errors import conflict, invalid, not_found
from monigo.core.ids import PlanId, PriceId
from monigo.core.paging import Page, PageRequest
from monigo.infra import outbox, registry
from monigo.infra.db import RowLock, Transaction
from monigo.infra.facts import Fact
from monigo.infra.ids import new_id


async def refuse_metric_with_price(tx: Transaction, asked: MetricDeletion) -> None:
    """Raise conflict, naming the plan, while a live plan has a price on a metric."""
    plan_name = await store.plan_using_metric(tx, asked.metric_id)
    if plan_name is not None:
        raise conflict("metric_in_use", f"the plan {plan_name!r} has a price on this metric")


async def refuse_percentage_of_other(tx: Transaction, asked: MetricUnsumming) -> None:
    """Raise invalid, naming the plan, while a live plan takes a percentage of a metric."""
    plan_name = await store.plan_with_percentage(tx, asked.metric_id)
    if plan_name is not None:
        message = f"must stay sum: the plan {plan_name!r} takes a percentage of it"
        raise invalid({"aggregation": message})


async def create_plan(
    tx: Transaction,
    details: PlanDetails,
    prices: Sequence[PriceDraft],
    base_fee: BaseFee = NO_BASE_FEE,
    rules: Sequence[RuleDraft] = (),
) -> Plan:
    """Offer a plan with its prices, payout rules and base fee.

    Raises:
        DomainError: invalid; not_found, naming the metric's field; conflict, when the organisation
            has too many payout rules.
    """
    check_details(details)
    check_base_fee(base_fee)
    await _check_metrics(tx, prices)
    plan_id = PlanId(new_id())
    await store.insert(tx, plan_id, details)
    await store.insert_revision(tx, plan_id, 1, apply_to=ApplyTo.ALL, base_fee=base_fee)
    added = price_changes((), prices)
    if rules:
        check_pays_out(details)
        added = _together(added, await payout_rules.rule_changes(tx, (), rules, details.currency))
    await price_list.store_changes(tx, (plan_id, 1), added)
    fact = PlanCreated(
        plan_id=plan_id,
        plan_type=details.plan_type,
        billing_mode=details.billing_mode,
        currency=details.currency,
    )
    await outbox.emit(tx, [fact])
    plan = await get_plan(tx, plan_id)
    tx.changed(None, plan)
    return plan


async def get_plan(tx: Transaction, plan_id: UUID) -> Plan:
    """One plan. Raises not_found."""
    plan = await store.load(tx, plan_id)
    if plan is None:
        raise not_found("plan")
    return plan


async def lock_plan(tx: Transaction, plan_id: UUID) -> Plan:
    """One plan, which can't be edited or deleted until the transaction ends. Raises not_found."""
    plan = await store.load(tx, plan_id, RowLock.FREEZE)
    if plan is None:
        raise not_found("plan")
    return plan


async def standing_revision(tx: Transaction, plan_id: PlanId, at: datetime) -> int:
    """The number of a plan's revision that stands at an instant, the latest of those made by it."""
    return await store.standing_revision(tx, plan_id, at)


async def get_plans(tx: Transaction, plan_ids: Iterable[PlanId]) -> dict[PlanId, Plan]:
    """Plans by id, deleted ones included."""
    return await store.load_all(tx, list(plan_ids))


async def get_history(tx: Transaction, plan_id: UUID) -> PlanHistory:
    """One plan with all its revisions. Raises not_found."""
    plan = await get_plan(tx, plan_id)
    return (await store.load_histories(tx, [plan.id]))[plan.id]


async def get_histories(tx: Transaction, plan_ids: Iterable[PlanId]) -> dict[PlanId, PlanHistory]:
    """Plans by id with all their revisions, deleted ones included."""
    return await store.load_histories(tx, list(plan_ids))


async def list_plans(tx: Transaction, request: PageRequest) -> Page[Plan]:
    """Plans, newest first."""
    return await store.list_page(tx, request)


async def update_plan(tx: Transaction, plan_id: UUID, changes: PlanChanges) -> Plan:
    """Edit a plan; one whose prices or base fee change gets a new revision.

    Raises:
        DomainError: not_found; invalid; conflict, when terms that subscribers rely on would change.
    """
    plan = await _locked_plan(tx, plan_id)
    details = replace(plan.details, **changes.details)
    check_details(details)
    base_fee = base_fee_after(plan.base_fee, changes)
    check_base_fee(base_fee)
    if fixed_terms(details) != fixed_terms(plan.details):
        await registry.ask(tx, PlanTermsChange(plan.id))
    if changes.rules or (changes.rules is None and plan.rules):
        check_pays_out(details)
    await store.update(tx, plan.id, details)
    facts: list[Fact] = []
    if changes.details:
        facts.append(PlanEdited(plan_id=plan.id, changed=tuple(sorted(changes.details))))
    prices = await _price_changes(tx, plan, changes, details.currency)
    if prices != NO_PRICE_CHANGES or base_fee != plan.base_fee:
        revision = plan.revision + 1
        await store.insert_revision(
            tx, plan.id, revision, apply_to=changes.apply_to, base_fee=base_fee
        )
        added = await price_list.store_changes(tx, (plan.id, revision), prices)
        if changes.apply_to is ApplyTo.ALL:
            touched = (
                *(price.id for _, price, _ in prices.revised),
                *(price.id for price in prices.removed),
            )
            await _end_rules(tx, plan, touched)
        facts.append(
            PriceChanged(
                plan_id=plan.id,
                revision=revision,
                apply_to=changes.apply_to,
                added=added,
                revised=tuple(price.id for _, price, _ in prices.revised),
                removed=tuple(price.id for price in prices.removed),
                base_fee_changed=base_fee != plan.base_fee,
            )
        )
    await outbox.emit(tx, facts)
    changed = await get_plan(tx, plan.id)
    tx.changed(plan, changed)
    return changed


async def check_prices(tx: Transaction, plan: Plan, wanted: Sequence[PriceDraft]) -> None:
    """Refuse prices that an edit of the plan would refuse.

    Raises:
        DomainError: invalid; not_found, naming the metric's field.
    """
    await _check_metrics(tx, wanted)
    price_changes(plan.listed_prices, wanted)


async def delete_plan(tx: Transaction, plan_id: UUID) -> None:
    """Hide a plan, unless something still depends on it.

    Raises:
        DomainError: not_found; conflict from a guard.
    """
    plan = await _locked_plan(tx, plan_id)
    await registry.ask(tx, PlanDeletion(plan.id))
    await store.hide(tx, plan.id)
    if plan.details.plan_type is PlanType.PAYOUT:
        known = (await price_list.revisions_of(tx, [plan.id]))[plan.id]
        await hide_rule_metrics(tx, [item.price.terms.metric_id for item in known])
    await outbox.emit(tx, [PlanDeleted(plan_id=plan.id)])
    tx.changed(plan, None)


async def _price_changes(
    tx: Transaction, plan: Plan, changes: PlanChanges, currency: str
) -> PriceChanges:
    """What an edit does to a plan's prices, those of payout rules included."""
    prices = NO_PRICE_CHANGES
    if changes.prices is not None:
        await _check_metrics(tx, changes.prices)
        prices = price_changes(plan.listed_prices, changes.prices)
    if changes.rules is not None:
        rules = await payout_rules.rule_changes(tx, plan.rules, changes.rules, currency)
        prices = _together(prices, rules)
    return prices


def _together(one: PriceChanges, other: PriceChanges) -> PriceChanges:
    return PriceChanges(
        one.added + other.added, one.revised + other.revised, one.removed + other.removed
    )


async def _end_rules(tx: Transaction, plan: Plan, touched: Sequence[PriceId]) -> None:
    """Have payout rules pay no more by what they said before an edit that counts for all.

    Periods that ended before are billed by it; so it stays for what happened before the edit.
    """
    if not plan.rules:
        return
    known = (await price_list.revisions_of(tx, [plan.id]))[plan.id]
    of_touched = [item.price for item in known if item.price.id in touched]
    standing = {price.terms.metric_id for price in (await get_plan(tx, plan.id)).prices}
    ended = {price.terms.metric_id for price in of_touched} - standing
    await hide_rule_metrics(tx, sorted(ended))


async def _locked_plan(tx: Transaction, plan_id: UUID) -> Plan:
    plan = await store.load(tx, plan_id, RowLock.EXCLUSIVE)
    if plan is None:
        raise not_found("plan")
    return plan


async def _check_metrics(tx: Transaction, wanted: Sequence[PriceDraft]) -> None:
    """Lock the metrics that prices are to be put on; refuse unknown and unfit ones."""
    named = [draft.id for draft in wanted if draft.id is not None]
    await price_list.check_metrics(tx, wanted, await overrides.percentages_among(tx, named))
