"""Every operation that changes something of an organisation: how it is asked for, what it tells."""

from dataclasses import dataclass, field
from typing import Any
from unittest.mock import ANY

from audit.world import FLAT, World

SOMETHING = ANY


@dataclass(frozen=True)
class Operation:
    """A request under `/v1`, whose hole is filled with what `needs` makes, and its entry's fields.

    Of a thing that is made or deleted `fields` are some of those that are told, else all.
    """

    request: str
    resource: str
    fields: dict[str, tuple[Any, Any]]
    needs: Any = World.nothing
    body: Any = None
    is_whole: bool = field(default=False)

    def sent(self, world):
        """The method, path and body of a request to a world."""
        method, path = self.request.split()
        made = self.needs(world)
        body = self.body(world) if callable(self.body) else self.body
        return method, f"/v1/{path}".format(made), body


def made(request, resource, needs=World.nothing, *, body=None, **fields):
    return Operation(
        request, resource, {name: (None, value) for name, value in fields.items()}, needs, body
    )


def gone(request, resource, needs, **fields):
    return Operation(
        request, resource, {name: (value, None) for name, value in fields.items()}, needs
    )


def edited(request, resource, needs=World.nothing, *, body=None, **fields):
    return Operation(request, resource, fields, needs, body, is_whole=True)


MOVEMENT = {"currency": "NGN", "idempotency_key": "move-1", "amount": "5"}
RULE = {"threshold": "1", "amount": "5"}
HOLDING = {"amount": "5", "currency": "NGN", "idempotency_key": "hold-1"}
LATER = "2027-06-01T00:00:00Z"
HOOK = {"url": "https://shop.example/hooks"}
METRIC = {"name": "Calls", "event_name": "call", "aggregation": "count"}


def _prices(world):
    return {"name": "Plan", "prices": [{"metric_id": world.metric(), **FLAT}]}


def _overridden(world):
    price_id = world.priced_plan()["prices"][0]["id"]
    return {"customer_id": world.customer(), "price_id": price_id, **FLAT}


def _watched(world):
    scope = {"scope": "customer", "scope_id": world.customer(), "metric_id": world.metric()}
    return {"type": "usage_exceeded", **scope, "thresholds": [{"value": "1"}]}


def _subscribed(world):
    return {"customer_id": world.customer(), "plan_id": world.plan()}


def _billed(world):
    return {"subscription_id": world.subscription(plan_type="payout")}


def _split(world):
    account_id = world.payout_account().rpartition("/")[2]
    return {"splits": [{"payout_account_id": account_id, "percentage": "10"}]}


def _drafted(world):
    return {"subscription_id": world.subscription()}


def _owned(world):
    world.customer()
    return {"customer_id": "c1", "currency": "NGN"}


# By keys: what a merchant's backend does.
OF_KEYS = {
    "create_customer": made(
        "POST customers", "customer", body={"external_id": "c9"}, external_id="c9"
    ),
    "update_customer": edited(
        "PUT customers/{}", "customer", World.customer, body={"name": "Bola"}, name=("Ada", "Bola")
    ),
    "delete_customer": gone("DELETE customers/{}", "customer", World.customer, name="Ada"),
    "create_metric": made("POST metrics", "metric", body=METRIC, event_name="call"),
    "update_metric": edited(
        "PUT metrics/{}",
        "metric",
        World.metric,
        body={"description": "new"},
        description=("", "new"),
    ),
    "delete_metric": gone("DELETE metrics/{}", "metric", World.metric, event_name="api_call"),
    "create_plan": made("POST plans", "plan", body=_prices, name="Plan", prices=SOMETHING),
    "update_plan": edited(
        "PUT plans/{}", "plan", World.plan, body={"name": "Other"}, name=("Plan", "Other")
    ),
    "lift_mail_suppression": gone(
        "DELETE mail-suppressions/{}",
        "mail_suppression",
        World.mail_suppression,
        address="ada@example.com",
        reason="bounced",
    ),
    "delete_plan": gone("DELETE plans/{}", "plan", World.plan, name="Plan", currency="NGN"),
    "create_alert": made("POST alerts", "alert", body=_watched, type="usage_exceeded"),
    "update_alert": edited(
        "PUT alerts/{}",
        "alert",
        World.alert,
        body={"thresholds": [{"value": "2", "label": "two"}]},
        thresholds=([{"value": "1", "label": ""}], [{"value": "2", "label": "two"}]),
    ),
    "enable_alert": edited(
        "POST alerts/{}/enable",
        "alert",
        World.disabled_alert,
        is_enabled=(False, True),
        status=("disabled", "active"),
    ),
    "disable_alert": edited(
        "POST alerts/{}/disable",
        "alert",
        World.alert,
        is_enabled=(True, False),
        status=("active", "disabled"),
    ),
    "acknowledge_alert": edited(
        "POST alerts/{}/acknowledge",
        "alert",
        World.triggered_alert,
        status=("triggered", "active"),
    ),
    "acknowledge_alert_state": edited(
        "POST alerts/triggered/{}/acknowledge",
        "alert_state",
        World.alert_state,
        status=("triggered", "acknowledged"),
        acknowledged_at=(None, SOMETHING),
        acknowledged_by=("", SOMETHING),
    ),
    "delete_alert": gone("DELETE alerts/{}", "alert", World.alert, type="usage_exceeded"),
    "create_price_override": made(
        "POST price-overrides", "price_override", body=_overridden, unit_price="2.000000"
    ),
    "update_price_override": edited(
        "PUT price-overrides/{}",
        "price_override",
        World.override,
        body={**FLAT, "unit_price": "3"},
        unit_price=("1.000000", "3.000000"),
    ),
    "delete_price_override": gone(
        "DELETE price-overrides/{}", "price_override", World.override, unit_price="1.000000"
    ),
    "create_payment_connection": made(
        "POST payment-connections", "payment_connection", body=World.account, label="Ours"
    ),
    "update_payment_connection": edited(
        "PUT payment-connections/{}",
        "payment_connection",
        World.connection,
        body={"label": "Other"},
        label=("Ours", "Other"),
    ),
    "toggle_payment_connection": edited(
        "POST payment-connections/{}/toggle",
        "payment_connection",
        World.connection,
        is_enabled=(True, False),
    ),
    "delete_payment_connection": gone(
        "DELETE payment-connections/{}", "payment_connection", World.connection, label="Ours"
    ),
    "replay_provider_event": edited(
        "POST provider-events/{}/replay",
        "provider_event",
        World.stray_event,
        status=("parked", "received"),
        reason=("nothing of ours is known by its reference", ""),
        attempts=(1, 0),
    ),
    "match_provider_event": edited(
        "POST provider-events/{}/match",
        "provider_event",
        World.stray_event,
        body=lambda world: {"wallet_id": world.wallet()},
        status=("parked", "matched"),
        reason=("nothing of ours is known by its reference", ""),
        wallet_id=(None, SOMETHING),
        handled_at=(None, SOMETHING),
    ),
    "refund_provider_event": edited(
        "POST provider-events/{}/refund",
        "provider_event",
        World.stray_event,
        body={"reason": "a stranger's"},
        status=("parked", "refunded"),
        reason=("nothing of ours is known by its reference", ""),
        refund_id=(None, SOMETHING),
        handled_at=(None, SOMETHING),
    ),
    "ignore_provider_event": edited(
        "POST provider-events/{}/ignore",
        "provider_event",
        World.stray_event,
        body={"reason": "a test"},
        status=("parked", "ignored"),
        reason=("nothing of ours is known by its reference", "a test"),
        handled_at=(None, SOMETHING),
    ),
    "resolve_transaction": edited(
        "POST transactions/{}/resolve",
        "transaction",
        World.unknown_pull,
        body={"outcome": "failed", "note": "looked up"},
        state=("unknown", "failed"),
        status=("pending", "failed"),
        error_code=(None, "resolved"),
        error_message=(None, "looked up"),
        note=("", "looked up"),
        resolved_at=SOMETHING,
    ),
    "create_subscription": made(
        "POST subscriptions", "subscription", body=_subscribed, status="active"
    ),
    "update_subscription": edited(
        "PATCH subscriptions/{}",
        "subscription",
        World.subscription,
        body={"status": "paused"},
        status=("active", "paused"),
    ),
    "delete_subscription": gone(
        "DELETE subscriptions/{}", "subscription", World.subscription, status="active"
    ),
    "start_replay": made("POST events/replay", "replay", body=World.window, status="pending"),
    "cancel_replay": edited(
        "POST events/replay/{}/cancel",
        "replay",
        World.replay,
        status=("pending", "canceled"),
        completed_at=SOMETHING,
    ),
    "generate_invoice": made("POST invoices/generate", "invoice", body=_drafted, status="draft"),
    "delete_invoice": gone("DELETE invoices/{}", "invoice", World.draft, status="draft"),
    "finalize_invoice": edited(
        "POST invoices/{}/finalize",
        "invoice",
        World.draft,
        status=("draft", "finalized"),
        number=("", "INV-000001"),
        finalized_at=SOMETHING,
        due_date=SOMETHING,
    ),
    "void_invoice": edited(
        "POST invoices/{}/void",
        "invoice",
        World.final,
        status=("finalized", "void"),
        voided_at=SOMETHING,
        amount_due=("2.000000", "0.000000"),
    ),
    "initiate_payment": made(
        "POST invoices/{}/initiate-payment",
        "transaction",
        World.collected,
        body={},
        kind="checkout",
        amount="500.000000",
    ),
    "retry_transaction": made(
        "POST invoices/{}/retry", "transaction", World.failed_try, kind="checkout"
    ),
    "refund_invoice": made(
        "POST invoices/{}/refunds",
        "refund",
        World.paid_by_credits,
        body={"reason": "a test", "to": "wallet"},
        amount="2.000000",
        to="wallet",
    ),
    "set_up_payment_method": made(
        "POST customers/{}/payment-methods/setup",
        "transaction",
        World.payable,
        body={},
        purpose="card_setup",
    ),
    "set_default_payment_method": edited(
        "PUT customers/{}/default",
        "payment_method",
        World.method,
        is_default=(False, True),
    ),
    "delete_payment_method": gone(
        "DELETE customers/{}", "payment_method", World.method, last4="1111"
    ),
    "create_portal_token": made(
        "POST portal/tokens",
        "portal_token",
        body=lambda world: {"customer_id": world.customer(), "label": "mail"},
        label="mail",
        access="full",
    ),
    "revoke_portal_token": edited(
        "DELETE portal/tokens/{}", "portal_token", World.portal_token, revoked_at=SOMETHING
    ),
    "create_portal_session": made(
        "POST portal/sessions",
        "portal_token",
        body=lambda world: {"customer_id": world.customer()},
        access="full",
    ),
    "create_payout_account": made(
        "POST customers/{}/payout-accounts",
        "payout_account",
        World.customer,
        body={
            "account_name": "Ada Obi",
            "bank_code": "044",
            "account_number": "0690000031",
            "currency": "NGN",
        },
        account_number="****0031",
        is_default=True,
    ),
    "update_payout_account": edited(
        "PUT customers/{}",
        "payout_account",
        World.payout_account,
        body={"bank_code": "058"},
        bank_code=("044", "058"),
        changed_at=SOMETHING,
    ),
    "delete_payout_account": gone(
        "DELETE customers/{}", "payout_account", World.payout_account, account_number="****0031"
    ),
    "resolve_payout_account": edited(
        "POST customers/{}/resolve",
        "payout_account",
        World.payout_account,
        resolution=("unresolved", "mismatched"),
        resolved_name=("", SOMETHING),
        resolved_at=SOMETHING,
    ),
    "mark_invoice_paid": edited(
        "POST invoices/{}/mark-paid",
        "invoice",
        World.final,
        body={"reference": "bank 1"},
        status=("finalized", "paid"),
        paid_at=SOMETHING,
        paid_reference=("", "bank 1"),
        amount_paid=("0.000000", "2.000000"),
        amount_due=("2.000000", "0.000000"),
    ),
    "generate_bill": made("POST bills", "bill", body=_billed, status="draft"),
    "delete_bill": gone("DELETE bills/{}", "bill", World.bill, status="draft"),
    "finalize_bill": edited(
        "POST bills/{}/finalize",
        "bill",
        World.bill,
        status=("draft", "paid"),
        number=("", "BILL-000001"),
        issued_at=SOMETHING,
        paid_at=SOMETHING,
    ),
    "hold_bill": edited(
        "POST bills/{}/hold",
        "payout",
        World.owed,
        body={"reason": "a doubt"},
        hold_reason=("", "a doubt"),
        held_by=(None, SOMETHING),
        held_at=(None, SOMETHING),
    ),
    "release_bill": edited(
        "POST bills/{}/release",
        "payout",
        World.held,
        hold_reason=("a doubt", ""),
        held_by=(SOMETHING, None),
        held_at=(SOMETHING, None),
    ),
    "initiate_payout": edited(
        "POST bills/{}/initiate-payout",
        "payout",
        World.owed,
        state=("due", "sending"),
        initiated_by=(None, SOMETHING),
        initiated_at=(None, SOMETHING),
    ),
    "retry_bill_transaction": edited(
        "POST bills/{}/retry",
        "payout",
        World.failed_transfer,
        state=("failed", "sending"),
        reason=(SOMETHING, ""),
        initiated_at=SOMETHING,
    ),
    "authorize_bill_transaction": edited(
        "POST bills/{}/authorize",
        "payout_transaction",
        World.waiting_transfer,
        body={"otp": "123456"},
        state=("needs_action", "succeeded"),
        status=("pending", "succeeded"),
        needs_otp=(True, False),
    ),
    "set_payout_splits": edited(
        "PUT plans/{}/payout-splits",
        "payout_splits",
        World.payout_plan,
        body=_split,
        splits=([], SOMETHING),
    ),
    "void_bill": edited(
        "POST bills/{}/void", "bill", World.bill, status=("draft", "voided"), voided_at=SOMETHING
    ),
    "get_or_create_wallet": made("POST wallets", "wallet", body=_owned, currency="NGN"),
    "update_wallet": edited(
        "PATCH wallets/{}",
        "wallet",
        World.wallet,
        body={"status": "suspended"},
        status=("active", "suspended"),
    ),
    "credit_wallet": edited(
        "POST wallets/{}/credit",
        "wallet",
        World.wallet,
        body={**MOVEMENT, "entry_type": "deposit"},
        balance=("100.000000", "105.000000"),
    ),
    "debit_wallet": edited(
        "POST wallets/{}/debit",
        "wallet",
        World.wallet,
        body={**MOVEMENT, "entry_type": "usage"},
        balance=("100.000000", "95.000000"),
    ),
    "reserve_in_wallet": made(
        "POST wallets/{}/reservations", "reservation", World.wallet, body=HOLDING, status="open"
    ),
    "capture_reservation": edited(
        "POST {}/capture",
        "reservation",
        World.reservation,
        status=("open", "captured"),
        captured_amount=("0.000000", "5.000000"),
        settled_at=SOMETHING,
    ),
    "release_reservation": edited(
        "POST {}/release",
        "reservation",
        World.reservation,
        status=("open", "released"),
        settled_at=SOMETHING,
    ),
    "grant_credit": made(
        "POST wallets/{}/credits", "credit", World.wallet, body=HOLDING, amount="5.000000"
    ),
    "revoke_credit": edited(
        "POST {}/revoke",
        "credit",
        World.credit,
        remaining=("5.000000", "0.000000"),
        revoked_at=SOMETHING,
    ),
    "set_auto_top_up": made(
        "PUT wallets/{}/auto-top-up", "auto_top_up", World.wallet, body=RULE, amount="5.000000"
    ),
    "delete_auto_top_up": gone("DELETE {}", "auto_top_up", World.rule, threshold="1.000000"),
    "create_virtual_account": made(
        "POST wallets/{}/virtual-accounts",
        "virtual_account",
        World.fundable,
        body={"provider": "paystack", "currency": "NGN"},
        status="pending",
    ),
    "close_virtual_account": edited(
        "DELETE {}",
        "virtual_account",
        World.virtual_account,
        is_active=(True, False),
        status=("active", "closed"),
    ),
    "fund_wallet": made(
        "POST wallets/{}/fund",
        "transaction",
        World.fundable,
        body={"amount": "500"},
        amount="500.000000",
    ),
    "advance_test_clock": edited(
        "POST test-clock/advance",
        "test_mode",
        World.nothing,
        body={"to": LATER},
        now=SOMETHING,
        to=(None, LATER),
    ),
    "reset_test_data": edited("POST test-data/reset", "test_mode", World.customer, resets=(0, 1)),
    "unset_test_clock": edited("DELETE test-clock", "test_mode", World.customer, resets=(0, 1)),
    "update_organization": edited(
        "PATCH organization",
        "organization",
        World.nothing,
        body={"vat_rate": "5"},
        vat_rate=SOMETHING,
    ),
}

# What changes nothing of an organisation's, or only reads.
UNAUDITED = {
    "request_whatsapp_pairing_code",
    "resend_bill_transaction_otp",
    "simulate_prices",
    "update_profile",
    "set_up_second_factor",
    "confirm_second_factor",
    "renew_recovery_codes",
    "switch_second_factor_off",
    "reauthenticate",
    "reauthentication_options",
    "offer_passkey",
    "add_passkey",
    "rename_passkey",
    "remove_passkey",
    "end_session",
    "end_other_sessions",
}
