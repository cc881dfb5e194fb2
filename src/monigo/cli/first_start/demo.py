"""The example that an empty database is filled with: a delivery platform's test data."""

import random
from datetime import datetime, timedelta
from functools import partial

import msgspec

from monigo import catalog, customers, invoicing, metering, subscriptions
from monigo.bootstrap import Services
from monigo.catalog import (
    BillingMode,
    Metric,
    MetricDefinition,
    PlanDetails,
    PlanType,
    PriceDraft,
    PriceTerms,
)
from monigo.core.aggregation import Aggregation
from monigo.core.periods import BillingAnchor, BillingPeriod
from monigo.core.pricing import Charge, parse_price_model
from monigo.core.times import format_instant
from monigo.customers import CustomerDetails
from monigo.infra.db import Transaction
from monigo.infra.waiting import until_available
from monigo.metering import Event
from monigo.subscriptions import NewSubscription
from monigo.tenancy import KeyReference

STARTED_BEFORE = timedelta(days=20)
EVENTS_PER_CUSTOMER = 500

# One customer and plan for each pricing model.
TIERS = [{"up_to": 1000, "unit_amount": "5"}, {"up_to": None, "unit_amount": "3"}]
EXAMPLES: tuple[tuple[str, str, str, str | None, object], ...] = (
    ("Ada Rides", "Pay as you go", "flat_unit", "2.000000", None),
    ("Bola Foods", "Growth", "tiered", None, TIERS),
    ("Chidi Couriers", "Volume", "volume", None, TIERS),
    ("Dayo Farms", "Blended", "weighted_tiered", None, TIERS),
    (
        "Efe Energy",
        "Bundles",
        "package",
        None,
        {"package_size": 100, "package_price": "500", "round_up_partial_block": True},
    ),
    (
        "Funmi Fintech",
        "Committed",
        "overage",
        None,
        {"included_units": 200, "base_price": "1000", "overage_price": "1.5"},
    ),
    ("Gozi Pay", "Card payments", "percentage", None, {"rate": "0.015", "fixed": "10"}),
)


async def fill_with_demo(services: Services, caller: KeyReference) -> None:
    """Fill a key's organisation and mode through the use cases that the API calls.

    Goes on where the database was away before; what is there already is left as it is.
    """
    # The same demo everywhere, so that a tutorial can name its figures.
    dice = random.Random(2026)  # noqa: S311 - an example, not a secret
    now = services.clock.now()
    await until_available(lambda: _subscribe(services, caller))
    for number in range(1, len(EXAMPLES) + 1):
        events = [_event(now, number, index, dice) for index in range(EVENTS_PER_CUSTOMER)]
        await until_available(partial(services.ingestor.ingest, caller, events))
    await until_available(lambda: _invoice(services, caller))


async def _subscribe(services: Services, caller: KeyReference) -> None:
    """Make the metrics, and each customer on a plan, all in one transaction."""
    async with services.database.transaction(caller.tenant) as tx:
        if await customers.resolve(tx, [_external_id(1)]):
            return
        calls = await _metric(tx, "API calls", "api_call", Aggregation.COUNT, "")
        tokens = await _metric(tx, "Tokens", "tokens", Aggregation.SUM, "amount")
        payments = await _metric(tx, "Card payments", "payment", Aggregation.SUM, "amount")
        for number, example in enumerate(EXAMPLES, start=1):
            metrics = (payments if example[2] == "percentage" else calls, tokens)
            await _customer_on_plan(tx, number, example, metrics)


async def _invoice(services: Services, caller: KeyReference) -> None:
    """Bill the first customer's running period so far."""
    async with services.database.transaction(caller.tenant) as tx:
        found = await customers.resolve(tx, [_external_id(1)])
        (subscription,) = await subscriptions.of_customers(tx, found.values())
        draft = await invoicing.generate(tx, str(subscription.id), plan_type=PlanType.COLLECTION)
        await invoicing.finalize(tx, draft.id)


async def _metric(
    tx: Transaction, name: str, event_name: str, aggregation: Aggregation, aggregated: str
) -> Metric:
    definition = MetricDefinition(name, event_name, aggregation, aggregated, "")
    return await metering.define_metric(tx, definition)


async def _customer_on_plan(
    tx: Transaction,
    number: int,
    example: tuple[str, str, str, str | None, object],
    metrics: tuple[Metric, Metric],
) -> None:
    customer_name, plan_name, model, unit_price, tiers = example
    external_id = _external_id(number)
    await customers.create(
        tx, CustomerDetails(external_id, customer_name, f"{external_id}@example.com", "", {})
    )
    details = PlanDetails(
        name=plan_name,
        description=f"Shows the pricing model {model}",
        currency="NGN",
        plan_type=PlanType.COLLECTION,
        billing_period=BillingPeriod.MONTHLY,
        billing_mode=BillingMode.POSTPAID,
        trial_period_days=0,
    )
    price = parse_price_model(model=model, unit_price=unit_price, tiers=tiers, path="price")
    token_price = parse_price_model(
        model="flat_unit", unit_price="0.002500", tiers=None, path="price"
    )
    priced, tokens = metrics
    plan = await catalog.create_plan(
        tx,
        details,
        [
            PriceDraft(None, PriceTerms(priced.id, Charge(price), model)),
            PriceDraft(None, PriceTerms(tokens.id, Charge(token_price), "flat_unit")),
        ],
    )
    start = tx.now - STARTED_BEFORE
    await subscriptions.create(
        tx,
        NewSubscription(external_id, str(plan.id), BillingAnchor.SUBSCRIPTION_START, start, None),
    )


def _external_id(number: int) -> str:
    return f"demo-customer-{number}"


def _event(now: datetime, number: int, index: int, dice: random.Random) -> Event:
    takes_payments = EXAMPLES[number - 1][2] == "percentage"
    is_main = dice.randrange(10) < 7  # noqa: PLR2004 - most events are calls, or payments
    properties = {"region": dice.choice(["lagos", "abuja", "nairobi"])}
    if takes_payments or not is_main:
        properties["amount"] = str(dice.randint(50, 4000))
    main_event = "payment" if takes_payments else "api_call"
    return Event(
        event_name=main_event if is_main else "tokens",
        customer_id=_external_id(number),
        idempotency_key=f"demo-{number}-{index}",
        timestamp=format_instant(now - STARTED_BEFORE * dice.random()),
        properties=msgspec.Raw(msgspec.json.encode(properties)),
    )
