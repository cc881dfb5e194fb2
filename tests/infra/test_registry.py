"""The registry: who has a say is asked, each of them, and nobody guesses what they would say."""

import ast
from pathlib import Path

import pytest

from monigo import bootstrap, catalog, customers, invoicing, subscriptions, wallets
from monigo.bootstrap import REGISTRY
from monigo.core.errors import DomainError, ErrorKind, InvariantError
from monigo.infra import registry
from monigo.infra.db import Database
from monigo.infra.ids import new_id
from monigo.infra.registry import Registry
from monigo.payments import charges, connections, methods
from support.accounts import plant_account
from support.api import event
from support.charges import plant_payments
from support.payments import connect
from support.payouts import Fleet

TERMS = {"billing_period": "annually"}
BOOTSTRAP = Path(bootstrap.__file__).with_name("registry.py")


def test_each_question_and_fact_is_named_once_so_that_no_reaction_is_lost():
    tables = [
        one for one in ast.walk(ast.parse(BOOTSTRAP.read_text())) if isinstance(one, ast.Dict)
    ]
    named = [ast.unparse(key) for table in tables for key in table.keys]

    assert len(named) > len(tables) > 0
    assert sorted(named) == sorted(set(named))


def subscribed(api):
    customer, plan = api.customer("ada"), api.plan()
    return customer, plan, api.subscribe(customer["id"], plan["id"])


def with_subscription(api):
    customer, _, _ = subscribed(api)
    return api.delete(f"/v1/customers/{customer['id']}")


def with_unpaid_invoice(api):
    metric, customer = api.metric("api_call"), api.customer("ada")
    plan = api.plan({"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"})
    subscription = api.subscribe(customer["id"], plan["id"])
    api.ingest(event("call", "ada"))
    api.delete(f"/v1/subscriptions/{subscription['id']}")
    return api.delete(f"/v1/customers/{customer['id']}")


def with_money(api):
    customer = api.customer("ada")
    api.wallet("ada", funds="5")
    return api.delete(f"/v1/customers/{customer['id']}")


def with_price(api):
    metric = api.metric("api_call")
    api.plan({"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"})
    return api.delete(f"/v1/metrics/{metric['id']}")


def counted_with_percentage(api):
    metric = api.metric("payment", aggregation="sum", aggregation_property="amount")
    price = {"metric_id": metric["id"], "model": "percentage", "tiers": {"rate": "0.015"}}
    api.plan(price)
    return api.put(f"/v1/metrics/{metric['id']}", json={"aggregation": "count"})


def plan_with_subscription(api):
    _, plan, _ = subscribed(api)
    return api.delete(f"/v1/plans/{plan['id']}")


def terms_with_subscriber(api):
    _, plan, _ = subscribed(api)
    return api.put(f"/v1/plans/{plan['id']}", json=TERMS)


def connection_with_live_pull(api):
    api.customer("ada")
    connection = connect(api)
    plant_payments(api, api.wallet("ada")["id"], connection["id"], state="unknown")
    return api.delete(f"/v1/payment-connections/{connection['id']}")


def connection_with_account(api):
    api.customer("ada")
    connection = connect(api)
    plant_account(api, api.wallet("ada")["id"], connection["id"])
    return api.delete(f"/v1/payment-connections/{connection['id']}")


def bill_that_is_partly_paid(api):
    fleet = Fleet(api)
    driver, owner = fleet.driver(), fleet.driver("owner", "0690000033")
    fleet.splits({"payout_account_id": str(owner["account"].id), "percentage": "30"})
    bill = fleet.owe(driver)
    fleet.script("transfer", "failed")
    fleet.initiate(bill)
    return fleet.post(bill, "void")


# For each guard a request that only it refuses, and its refusal.
TRIED = {
    "refuse_customer_with_subscription": (with_subscription, 409, "customer_subscribed"),
    "refuse_customer_with_unpaid_invoice": (with_unpaid_invoice, 409, "customer_owes"),
    "refuse_customer_with_money": (with_money, 409, "customer_has_money"),
    "refuse_metric_with_price": (with_price, 409, "metric_in_use"),
    "refuse_percentage_of_other": (counted_with_percentage, 400, "validation_failed"),
    "refuse_plan_with_subscriptions": (plan_with_subscription, 409, "plan_subscribed"),
    "refuse_plan_ever_subscribed": (terms_with_subscriber, 409, "plan_terms_fixed"),
    "refuse_bill_in_flight": (bill_that_is_partly_paid, 409, "bill_partly_paid"),
    "refuse_connection_in_use": (connection_with_live_pull, 409, "connection_in_use"),
    "refuse_connection_with_accounts": (
        connection_with_account,
        409,
        "connection_has_virtual_accounts",
    ),
}
# Refuse what no request asks for alone.
OF_CHARGES = {"refuse_in_flight", "refuse_refund_in_flight", "refuse_method_in_use"}


@pytest.mark.parametrize("guard", TRIED)
def test_each_guard_refuses_what_it_guards(api, guard):
    request, status, code = TRIED[guard]

    answer = request(api)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_every_guard_that_is_registered_is_tried():
    registered = {one.__name__ for guards in REGISTRY.guards.values() for one in guards}

    assert registered == {*TRIED, *OF_CHARGES}


def test_without_objections_each_is_done(api):
    customer, metric, plan = api.customer("ada"), api.metric("api_call"), api.plan()

    answers = [
        api.put(f"/v1/plans/{plan['id']}", json=TERMS),
        api.delete(f"/v1/plans/{plan['id']}"),
        api.delete(f"/v1/metrics/{metric['id']}"),
        api.delete(f"/v1/customers/{customer['id']}"),
    ]

    assert [answer.status_code for answer in answers] == [200] * 4


def test_the_wallets_of_a_deleted_customer_close_with_it(api):
    customer, wallet = api.customer("ada"), api.wallet("ada")

    api.delete(f"/v1/customers/{customer['id']}")

    assert api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["status"] == "closed"
    reported = api.backend.sql(
        "SELECT type FROM outbox_facts WHERE org_id = $1 AND type LIKE '%ed' AND subject_id"
        " = ANY ($2::uuid[]) ORDER BY id",
        api.org_id,
        [customer["id"], wallet["id"]],
    )
    assert [row["type"] for row in reported] == [
        "CustomerCreated",
        "WalletCreated",
        "CustomerDeleted",
        "WalletStatusChanged",
    ]


QUESTIONS = [
    customers.CustomerDeletion(new_id()),
    catalog.MetricDeletion(new_id()),
    catalog.MetricUnsumming(new_id()),
    catalog.PlanDeletion(new_id()),
    catalog.PlanTermsChange(new_id()),
    invoicing.InvoiceInFlight(new_id()),
    invoicing.BillInFlight(new_id()),
    invoicing.InvoiceVoiding(new_id()),
    connections.ConnectionDeletion(new_id()),
    methods.MethodForgetting(new_id()),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("known", [None, Registry(guards={}, reactions={}, subscribers=())])
def test_a_domain_alone_takes_no_silence_for_consent(backend, api, question, known):
    with pytest.raises(InvariantError):
        asked_alone(backend, api, known, lambda tx: registry.ask(tx, question))


@pytest.mark.parametrize("known", [None, Registry(guards={}, reactions={}, subscribers=())])
def test_charges_are_sent_by_no_domain_alone(backend, api, known):
    with pytest.raises(InvariantError):
        asked_alone(
            backend, api, known, lambda tx: registry.gather(tx, charges.ChargeSubmission([]))
        )


def asked_alone(backend, api, known, work):
    async def ask():
        database = await Database.connect(
            backend.app_url, clock=backend.clock, pool_size=1, registry=known
        )
        try:
            async with database.transaction(api.tenant) as tx:
                await work(tx)
        finally:
            await database.close()

    backend.run(ask())


def test_every_question_has_who_answers_it():
    assert set(REGISTRY.guards) == {type(one) for one in QUESTIONS}


def test_the_first_that_refuses_is_answered(backend, api):
    asked = []

    def guard(name, *, refuses):
        async def say(_tx, _question):
            asked.append(name)
            if refuses:
                raise DomainError(ErrorKind.CONFLICT, name, name)

        return say

    guards = (guard("one", refuses=False), guard("two", refuses=True), guard("three", refuses=True))
    known = Registry(guards={customers.CustomerDeletion: guards}, reactions={}, subscribers=())

    async def ask():
        async with backend.services.database.transaction(api.tenant) as tx:
            await known.ask(tx, QUESTIONS[0])

    with pytest.raises(DomainError) as refused:
        backend.run(ask())

    assert (asked, refused.value.code) == (["one", "two"], "two")


def test_guards_stand_in_the_domains_that_know():
    """None is reached through a route, or asks a domain above its own."""
    assert subscriptions.refuse_plan_ever_subscribed in REGISTRY.guards[catalog.PlanTermsChange]
    assert REGISTRY.reactions[customers.events.CustomerDeleted] == (
        wallets.close_wallets_of_customers,
    )


def test_one_reaction_more_changes_nothing_else():
    known = customers.events.CustomerDeleted

    async def react(_tx, _facts):
        pass

    extended = REGISTRY.with_reaction(known, react)

    assert extended.reactions[known] == (*REGISTRY.reactions[known], react)
    kept = {name: value for name, value in vars(REGISTRY).items() if name != "reactions"}
    assert {name: vars(extended)[name] for name in kept} == kept
