"""A pass over many tenants: what goes wrong for one is told, after the others were served."""

import asyncpg
import pytest

from monigo import invoicing, metering, subscriptions, tenancy, wallets
from monigo.infra import idempotency, outbox
from monigo.infra.database import Tenant, Transaction
from monigo.jobs import billing, housekeeping, replays, simulations, test_clocks
from monigo.jobs import metering as metering_jobs
from monigo.jobs import wallets as wallet_jobs
from monigo.metering import folding
from support.api import Api
from support.verification import faults
from support.wallets import balance, charge, grant, left, plan_of, use

START = "2027-01-01T00:00:00Z"

# Each job, and what it does for one tenant.
JOBS = {
    "wake_waiting": (billing.wake_waiting, invoicing, "wake_some"),
    "charge_realtime": (billing.charge_realtime, invoicing, "charge_some"),
    "close_periods": (billing.close_periods, invoicing, "close_some"),
    "expire_reservations": (wallet_jobs.expire_wallets, wallets.ReservationExpiry, "run"),
    "expire_credits": (wallet_jobs.expire_wallets, wallets.CreditExpiry, "run"),
    "forget_idempotency_records": (
        housekeeping.forget_idempotency_records,
        idempotency,
        "forget",
    ),
    "forget_facts": (housekeeping.forget_facts, outbox, "forget"),
    "forget_event_properties": (
        housekeeping.forget_event_properties,
        metering,
        "forget_properties",
    ),
    "requeue_replays": (replays.requeue_replays, metering, "requeue_replays"),
    "requeue_simulations": (simulations.requeue_simulations, invoicing, "requeue_simulations"),
    "keep_test_clocks": (test_clocks.keep_test_clocks, tenancy, "keep_up"),
    "fold_usage": (metering_jobs.fold_usage, folding, "fold_some"),
}


def tenant_of(arguments):
    """Whose work a call is, by its transaction or by the tenant itself."""
    (tenant,) = [
        one.tenant if isinstance(one, Transaction) else one
        for one in arguments
        if isinstance(one, (Transaction, Tenant))
    ]
    return tenant


@pytest.fixture
def waiting(api, backend, monkeypatch):
    """Two tenants for both of which each job has work; the first is the one at fault."""
    with Api.of_new_organization(backend) as other:
        tenants = [api.tenant, other.tenant]

        async def both(*_arguments):
            return tenants

        async def organizations(*_arguments):
            return [tenant.org_id for tenant in tenants]

        monkeypatch.setattr(wallets, "tenants_with_credited", both)
        monkeypatch.setattr(metering, "tenants_with_changes", both)
        monkeypatch.setattr(subscriptions, "tenants_with_due", both)
        monkeypatch.setattr(tenancy, "tenants_with_test_clock", both)
        monkeypatch.setattr(folding.fold_store, "tenants_with_batches", both)
        monkeypatch.setattr(type(backend.services.database), "organization_ids", organizations)
        yield tenants


@pytest.mark.parametrize("job", JOBS)
def test_trouble_of_one_tenant_is_told_after_the_others_were_served(
    backend, waiting, monkeypatch, job
):
    run, owner, name = JOBS[job]
    served = []

    async def work(*arguments, **_options):
        tenant = tenant_of(arguments)
        if tenant.org_id == waiting[0].org_id:
            raise RuntimeError("at fault")
        served.append(tenant)
        return 0

    monkeypatch.setattr(owner, name, work)

    with pytest.raises(ExceptionGroup) as told:
        backend.run(run(backend.services))

    assert waiting[1] in served
    assert {str(one) for one in told.value.exceptions} == {"at fault"}


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("job", JOBS)
def test_a_database_that_is_away_ends_the_pass_at_once(backend, monkeypatch, job):
    run, owner, name = JOBS[job]
    asked = []

    async def work(*arguments, **_options):
        asked.append(tenant_of(arguments))
        raise asyncpg.CannotConnectNowError("the database system is starting up")

    monkeypatch.setattr(owner, name, work)

    with pytest.raises(asyncpg.CannotConnectNowError):
        backend.run(run(backend.services))

    assert len(asked) == 1


def realtime_merchant(api):
    """Two realtime customers with 1,000 each; their wallets and the first one's subscription."""
    assert api.post("/v1/test-clock/advance", json={"to": START}, timeout=60).status_code == 200
    plan_id, _ = plan_of(api, "realtime", "a")
    held = []
    for name in ("c1", "c2"):
        api.customer(name)
        wallet = api.wallet(name, funds="1000")
        held.append((wallet, api.subscribe(name, plan_id, start_date=START)))
    (first, subscription), (second, _) = held
    return first, second, subscription


def test_a_realtime_subscription_that_cannot_be_charged_stops_no_other(api, backend, clock):
    with Api.of_new_organization(backend) as other:
        theirs = realtime_merchant(other)
        use(other, "a", 70, "c1")
        use(other, "a", 70, "c2")
        first, second, subscription = realtime_merchant(api)
        # Of 18 digits, as a unit is; two of them are more than an amount can hold.
        use(api, "a", 999999999999999999, "c1")
        use(api, "a", 999999999999999999, "c1")
        use(api, "a", 50, "c2")
        backend.run(metering.fold_all(backend.services.database))

        backend.run(billing.charge_realtime(backend.services))

        path = f"/v1/subscriptions/{subscription['id']}"
        flagged = api.get(path).json()["subscription"]
        assert (flagged["status"], "exceeds" in flagged["billing_error"]) == ("active", True)
        assert (balance(api, first), balance(api, second)) == ("1000", "950")
        assert [balance(other, wallet) for wallet in theirs[:2]] == ["930", "930"]
        assert faults(backend, other.tenant) == []

    # It is tried again later, and is charged once it can be.
    use(api, "a", -999999999999999999, "c1")
    use(api, "a", -999999999999999939, "c1")
    charge(api)
    before = balance(api, first)
    clock("2027-01-01T00:02:00Z")
    tried = api.get(path).json()["subscription"]["billing_error"]
    use(api, "a", 5, "c1")
    charge(api)

    assert (before, tried, balance(api, first)) == ("1000", "", "935")
    assert faults(backend, api.tenant) == []


def test_credits_and_reservations_of_all_tenants_expire(api, backend):
    wallets_of = {}
    with Api.of_new_organization(backend) as other:
        for one in (api, other):
            one.customer()
            wallets_of[one] = one.wallet(funds="10")
            grant(one, wallets_of[one], "5", expires_at="2026-06-16T13:00:00Z")
        backend.clock.advance(hours=2)

        backend.run(wallet_jobs.expire_wallets(backend.services))

        assert [left(one, wallet) for one, wallet in wallets_of.items()] == [["0"], ["0"]]
