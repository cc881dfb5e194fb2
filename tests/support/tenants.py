"""A merchant with something of everything, and two tenants that must never see it."""

import json
from dataclasses import dataclass
from datetime import timedelta

from house.checkout import known_tenant_tables
from monigo import invoicing, metering
from monigo.core.times import format_instant
from support.accounts import plant_account
from support.alerts import plant_alerts
from support.api import Api, event
from support.backend import Backend
from support.charges import plant_payments
from support.hooks import plant_hook
from support.payments import connect
from support.payouts import plant_payout
from support.transfers import plant_transfer
from support.webhooks import plant_events
from support.whatsapp import plant_whatsapp

# Read from the schema as it is imported, for that takes a while.
TABLES = known_tenant_tables()
# One price for each pricing model, so that every shape of a price is stored.
TIERS = [{"up_to": 10, "unit_amount": "5"}, {"up_to": None, "unit_amount": "3"}]


@dataclass(frozen=True)
class Tenants:
    """`a` owns the data; `others` are another organisation, and the same one in live mode."""

    a: Api
    other_organization: Api
    other_mode: Api
    ids: dict[str, str]

    def close(self) -> None:
        """Close the clients' connections."""
        for client in (self.a, self.other_organization, self.other_mode):
            client.http.close()


def make_tenants(backend: Backend) -> Tenants:
    """Tenant A with its data; B of another organisation, C of the same one in the other mode."""
    a = Api.of_new_organization(backend)
    b = Api.of_new_organization(backend)
    c = Api.of(backend, a.org_id, is_test=False)
    return Tenants(a, b, c, fill(a, "driver-42"))


def fill(api: Api, external_id: str) -> dict[str, str]:
    """Give a tenant a row of everything that there is; ids by what they are."""
    customer = api.customer(external_id, name="Ada", metadata={"fleet": 7})
    metric = api.metric("api_call")
    api.metric("visit", aggregation="unique", aggregation_property="page")
    plan = api.plan(
        {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2.000000"},
        {"metric_id": metric["id"], "model": "tiered", "tiers": TIERS},
    )
    override = api.override(customer["id"], plan["prices"][1]["id"])
    subscription = api.subscribe(customer["id"], plan["id"])
    paying_plan_id = _pay_guides(api)
    api.ingest(event("call-1", external_id), event("call-2", customer["id"]))
    api.ingest(event("visit-1", external_id, "visit", properties={"page": "/", external_id: 1}))
    api.get("/api/v1/onboarding/progress")
    _come_late(api, external_id)
    api.backend.run(metering.fold_all(api.backend.services.database))
    _forget_old_events(api)
    # Its replay waits, for there are events already.
    api.metric("ride")
    final = api.finalize(api.draft(subscription["id"])["id"])
    api.ingest(event("call-3", external_id))
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "paused"})
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "active"})
    draft = api.draft(subscription["id"])
    wallet_ids = _fill_wallet(api, external_id)
    now = api.backend.clock.now()
    replay = api.post("/v1/events/replay", json=_day_before(now))
    _leave_kept_answer(api)
    earned, paid, bill = _owe(api, customer, metric, paying_plan_id)
    simulation_id = _plant_rows(api, plan, subscription, paid)
    plant_whatsapp(api, customer["id"])
    _stand_still(api, now + timedelta(minutes=1))
    # Not folded yet, whatever was asked for before.
    api.ingest(event("call-4", external_id))
    _plant_waiting_work(api, subscription)
    suppression_id = _write_to(api, customer)
    return {
        "customer_id": customer["id"],
        "external_id": external_id,
        "metric_id": metric["id"],
        "plan_id": plan["id"],
        "price_id": plan["prices"][0]["id"],
        "override_id": override["id"],
        "subscription_id": subscription["id"],
        "invoice_id": draft["id"],
        "final_invoice_id": final["id"],
        "bill_id": bill["id"],
        "simulation_id": simulation_id,
        "mail_suppression_id": suppression_id,
        "portal_token_id": _link(api, external_id)["id"],
        "payout_subscription_id": paid["id"],
        "paying_plan_id": paying_plan_id,
        "job_id": replay.json()["job"]["id"],
        **wallet_ids,
        **_collect(api, wallet_ids["wallet_id"], bill, earned),
    }


def _link(api, external_id):
    """A link to the customer's portal."""
    return api.make("/v1/portal/tokens", {"customer_external_id": external_id}, "token")


def _owe(api, customer, metric, paying_plan_id):
    """A plan by which the customer earns, the subscription to it, and a bill."""
    earned = api.plan(
        {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}, plan_type="payout"
    )
    paid = api.subscribe(customer["id"], earned["id"])
    bill = api.make("/v1/bills", {"subscription_id": paid["id"]}, "bill")
    # The plan is another for a moment, so that there is a past one.
    api.patch(f"/v1/subscriptions/{paid['id']}", json={"plan_id": paying_plan_id})
    back = {"plan_id": earned["id"], "apply_at": "period_end"}
    api.patch(f"/v1/subscriptions/{paid['id']}", json=back)
    return earned, paid, bill


_LIVE_KEYS = """
    INSERT INTO payment_credentials
    SELECT (jsonb_populate_record(keys, '{"is_test": false}')).*
    FROM payment_credentials AS keys WHERE connection_id = $1
"""


def _collect(api: Api, wallet_id: str, bill, plan) -> dict[str, str]:
    """A connection, a virtual account, money that came or goes by them, and what else came."""
    connection_id = connect(api)["id"]
    if not api.tenant.is_test:
        # Its keys are of a simulator, which live mode never asks.
        api.backend.sql(_LIVE_KEYS, connection_id)
    return {
        "connection_id": connection_id,
        **plant_payments(api, wallet_id, connection_id),
        **plant_account(api, wallet_id, connection_id),
        **_pay_out(api, bill, plan, connection_id),
        "provider_event_id": plant_events(api, connection_id),
        **plant_hook(api),
    }


def _pay_out(api: Api, bill, plan, connection_id: str) -> dict[str, str]:
    """A payee's account, and a transfer to it of a bill whose plan is split."""
    planted = plant_transfer(api, bill, connection_id)
    plant_payout(api, plan["id"], planted)
    return planted


def _day_before(now):
    return {"from": format_instant(now - timedelta(days=1)), "to": format_instant(now)}


OF_NONE = " AND $2::boolean IS NOT NULL"
# The log is of both modes, in one chain, whose end moves with entries of either.
OF_BOTH_MODES = {
    "audit_entries": " AND is_test_mode IS NOT DISTINCT FROM $2",
    "audit_heads": " AND $2::boolean IS NULL",
}


def rows_of(backend, tenant):
    """A tenant's rows of all tables, as text."""
    parts = [
        f"SELECT '{table}' AS name, to_jsonb(t)::text AS row FROM {table} AS t WHERE org_id = $1"
        + (" AND is_test = $2" if table in TABLES.with_mode else OF_BOTH_MODES.get(table, OF_NONE))
        for table in sorted(TABLES.every)
    ]
    query = f"{' UNION ALL '.join(parts)} ORDER BY name, row"
    return [tuple(row) for row in backend.sql(query, tenant.org_id, tenant.is_test)]


def _pay_guides(api: Api) -> str:
    """A payout rule for visits, which don't name whom it pays; its plan's id."""
    rule = {"trigger_event": "visit", "recipient_field": "guide", "amount_expression": "page"}
    return api.plan(plan_type="payout", payout_rules=[rule])["id"]


def _come_late(api: Api, external_id: str) -> None:
    """An event of an earlier hour, which the fold notes."""
    earlier = format_instant(api.backend.clock.now() - timedelta(hours=3))
    api.ingest(event("late-1", external_id, timestamp=earlier))


def _forget_old_events(api: Api) -> None:
    """Retention that has been at work, though nothing is old enough yet."""
    services = api.backend.services
    for days in (100, None):
        api.patch("/v1/organization", json={"raw_event_retention_days": days})
        api.backend.run(metering.redact_events(services.database, api.tenant, invoicing.open_from))


def _plant_rows(api: Api, plan, subscription, paid) -> str:
    """What no request leaves here: a waiting simulation, whose id it is, and a realtime charge.

    And a customer who is watched for it, and a trial that ended as it began, of the subscription
    that points to other plans, too.
    """
    api.backend.sql(
        "INSERT INTO watched_customers (org_id, is_test, customer_id)"
        " SELECT org_id, is_test, customer_id FROM subscriptions WHERE id = $1",
        subscription["id"],
    )
    api.backend.sql(
        "UPDATE subscriptions SET trial_plan_id = plan_id, trial_ends_at = start_date"
        " WHERE id = $1",
        paid["id"],
    )
    api.backend.sql(
        "INSERT INTO invoice_collections (org_id, is_test, invoice_id, failures, is_link_only,"
        " has_new_method, reminders, updated_at) SELECT org_id, is_test, id, 0, false, false, 1,"
        " now() FROM invoices WHERE subscription_id = $1 AND status = 'finalized'",
        subscription["id"],
    )
    api.backend.sql(
        "INSERT INTO realtime_charges (org_id, is_test, subscription_id, period_start, charged,"
        " updated_at) SELECT org_id, is_test, id, now(), 0, now() FROM subscriptions WHERE id = $1",
        subscription["id"],
    )
    rows = api.backend.sql(
        "INSERT INTO plan_simulations (org_id, is_test, id, plan_id, status, request,"
        " subscriptions_total, subscriptions_done, error_message, created_at, updated_at)"
        " SELECT org_id, is_test, gen_random_uuid(), id, 'pending', $2, 1, 0, '', now(), now()"
        " FROM plans WHERE id = $1 RETURNING id",
        plan["id"],
        json.dumps({"prices": [], "base_fee": None, "customer_ids": None, "span": None}),
    )
    return str(rows[0]["id"])


def _stand_still(api: Api, instant) -> None:
    """From here on test time stands still; live time refuses, and goes on."""
    api.post("/v1/test-clock/advance", json={"to": format_instant(instant)})


def _plant_waiting_work(api: Api, subscription) -> None:
    """What a clock does on its way or nothing here is old enough for.

    Old events that wait for their period's close, and work of no kind in particular.
    """
    # What came before was added up as a plan was changed; no metric counts this one.
    now = format_instant(api.backend.clock.now())
    api.ingest(event("idle-1", subscription["customer_id"], "idle", timestamp=now))
    api.backend.sql(
        "INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version, attempts,"
        " reason) VALUES ($1, $2, 'planted', $1, now(), 'infinity', 1, 1, 'planted')",
        api.tenant.org_id,
        api.tenant.is_test,
    )
    api.backend.sql(
        "INSERT INTO mails (org_id, is_test, id, ciphertext, written_at)"
        " VALUES ($1, $2, gen_random_uuid(), 'planted', now())",
        api.tenant.org_id,
        api.tenant.is_test,
    )
    api.backend.sql(
        "INSERT INTO usage_declines (org_id, is_test, customer_id, recent_events, usual_events,"
        " noted_at) SELECT org_id, is_test, customer_id, 3, 12, now() FROM subscriptions"
        " WHERE id = $1",
        subscription["id"],
    )
    api.backend.sql(
        "INSERT INTO member_credits (org_id, is_test, user_id, day, currency, credited,"
        " credit_limit, updated_at) VALUES ($1, $2, gen_random_uuid(), '2027-01-01', 'NGN', 5, 9,"
        " now())",
        api.tenant.org_id,
        api.tenant.is_test,
    )
    api.backend.sql(
        "INSERT INTO waiting_retentions (org_id, is_test, customer_id, redacted_until)"
        " SELECT org_id, is_test, customer_id, start_date FROM subscriptions WHERE id = $1",
        subscription["id"],
    )


def _write_to(api: Api, customer) -> str:
    """A mail to a customer, and an address that gets none; its id."""
    api.backend.sql(
        "INSERT INTO customer_mails (org_id, is_test, id, fact_id, customer_id, type, occasion,"
        " status, recipient, created_at, send_at) SELECT org_id, is_test, gen_random_uuid(),"
        " gen_random_uuid(), id, 'balance_low', $2, 'sending', 'ada@example.com', now(), now()"
        " FROM customers WHERE id = $1",
        customer["id"],
        json.dumps(
            {
                "type": "balance_low",
                "customer_id": customer["id"],
                "occurred_at": "2026-06-16T12:00:00Z",
            }
        ),
    )
    rows = api.backend.sql(
        "INSERT INTO mail_suppressions (org_id, is_test, id, address, reason, created_at)"
        " VALUES ($1, $2, gen_random_uuid(), 'ada@example.com', 'bounced', now()) RETURNING id",
        api.tenant.org_id,
        api.tenant.is_test,
    )
    return str(rows[0]["id"])


def _leave_kept_answer(api: Api) -> None:
    """An Idempotency-Key's record, of a customer that is gone; and the log of changes so far."""
    api.get("/api/v1/audit-logs")
    headers = {"Idempotency-Key": "kept"}
    kept = api.post("/v1/customers", json={"external_id": "gone"}, headers=headers)
    api.delete(f"/v1/customers/{kept.json()['customer']['id']}")


def _fill_wallet(api: Api, external_id: str) -> dict[str, str]:
    """A wallet with money, a part of it held, credit, a rule that asked for more, and alerts."""
    wallet = api.wallet(external_id, funds="100")
    holding = {"amount": "5", "currency": "NGN", "idempotency_key": "hold-1"}
    held = api.post(f"/v1/wallets/{wallet['id']}/reservations", json=holding)
    granting = {"amount": "7", "currency": "NGN", "idempotency_key": "grant-1"}
    granted = api.make(f"/v1/wallets/{wallet['id']}/credits", granting, "credit")
    rule = {"threshold": "100", "amount": "50", "monthly_limit": "500"}
    api.put(f"/v1/wallets/{wallet['id']}/auto-top-up", json=rule)
    return {
        "wallet_id": wallet["id"],
        "reservation_id": held.json()["reservation"]["id"],
        "grant_id": granted["id"],
        **plant_alerts(api, external_id),
    }
