"""What each object of the contract looks like on the wire, and what differs from it."""

import re

_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_MONEY = re.compile(r"-?\d+\.\d{6}")
_PRICE = re.compile(r"-?\d+\.\d{6,12}")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")


def text(value):
    return isinstance(value, str)


def identity(value):
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def time(value):
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def money(value):
    return isinstance(value, str) and _MONEY.fullmatch(value) is not None


def unit_price(value):
    return isinstance(value, str) and _PRICE.fullmatch(value) is not None


def decimal(value):
    return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None


def number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def flag(value):
    return isinstance(value, bool)


def json_object(value):
    return isinstance(value, dict)


def rows(value):
    return isinstance(value, list)


def anything(_value):
    return True


def or_null(check):
    return lambda value: value is None or check(value)


_STORED = {"id": identity, "created_at": time, "updated_at": time}
_OWNED = {**_STORED, "org_id": identity}

CUSTOMER = {
    **_OWNED,
    "external_id": text,
    "name": text,
    "email": text,
    "phone": text,
    "metadata": json_object,
}
METRIC = {
    **_OWNED,
    "name": text,
    "event_name": text,
    "aggregation": text,
    "aggregation_property": text,
    "description": text,
    "filters": rows,
    "group_by": text,
}
PLAN = {
    **_OWNED,
    "name": text,
    "description": text,
    "currency": text,
    "plan_type": text,
    "billing_period": text,
    "billing_mode": text,
    "trial_period_days": whole,
    "base_fee": money,
    "base_fee_timing": text,
    "revision": whole,
    "prices": rows,
}
PRICE = {
    **_STORED,
    "plan_id": identity,
    "metric_id": identity,
    "model": text,
    "unit_price": unit_price,
    "tiers": anything,
    "flat_fee": money,
    "minimum_amount": or_null(money),
    "maximum_amount": or_null(money),
    "revision": whole,
}
PLAN_REVISION = {
    "revision": whole,
    "apply_to": text,
    "effective_at": or_null(time),
    "base_fee": money,
    "base_fee_timing": text,
    "created_at": time,
    "prices": rows,
}
PRICE_OVERRIDE = {
    **_OWNED,
    "customer_id": identity,
    "price_id": identity,
    "model": text,
    "unit_price": unit_price,
    "tiers": anything,
    "valid_from": time,
    "valid_until": or_null(time),
}
SUBSCRIPTION = {
    **_OWNED,
    "customer_id": identity,
    "plan_id": identity,
    "status": text,
    "current_period_start": time,
    "current_period_end": time,
    "trial_ends_at": or_null(time),
    "billing_anchor": text,
    "start_date": time,
    "end_date": or_null(time),
}
INVOICE = {
    **_OWNED,
    "customer_id": identity,
    "subscription_id": identity,
    "status": text,
    "number": text,
    "currency": text,
    "subtotal": money,
    "vat_enabled": flag,
    "vat_rate": or_null(decimal),
    "vat_amount": or_null(money),
    "total": money,
    "period_start": time,
    "period_end": time,
    "finalized_at": or_null(time),
    "paid_at": or_null(time),
    "due_date": or_null(time),
    "provider_invoice_id": text,
    "line_items": rows,
}
LINE_ITEM = {
    "id": identity,
    "created_at": time,
    "invoice_id": identity,
    "metric_id": or_null(identity),
    "price_id": or_null(identity),
    "description": text,
    "group_value": text,
    "quantity": decimal,
    "unit_price": unit_price,
    "amount": money,
}
ROLLUP = {
    **_OWNED,
    "customer_id": identity,
    "metric_id": identity,
    "period_start": time,
    "period_end": time,
    "aggregation": text,
    "value": number,
    "event_count": whole,
    "last_event_at": or_null(time),
    "is_test": flag,
}
REPLAY_JOB = {
    **_OWNED,
    "initiated_by": text,
    "status": text,
    "from_timestamp": time,
    "to_timestamp": time,
    "event_name": text,
    "is_test": flag,
    "events_total": whole,
    "events_replayed": whole,
    "error_message": text,
    "started_at": or_null(time),
    "completed_at": or_null(time),
}
EVENT = {
    **_OWNED,
    "idempotency_key": text,
    "customer_id": identity,
    "event_name": text,
    "timestamp": time,
    "properties": json_object,
    "received_at": time,
    "is_test": flag,
}
EVENT.pop("updated_at")  # An event never changes.
WALLET = {
    **_OWNED,
    "customer_id": identity,
    "currency": text,
    "balance": money,
    "reserved_balance": money,
    "status": text,
}
ENTRY = {
    **_OWNED,
    "transaction_id": identity,
    "wallet_id": or_null(identity),
    "account_type": text,
    "account_id": identity,
    "direction": text,
    "amount": money,
    "currency": text,
    "balance_before": money,
    "balance_after": money,
    "description": text,
    "entry_type": text,
    "reference_type": text,
    "reference_id": text,
    "idempotency_key": text,
    "metadata": json_object,
}
ENTRY.pop("updated_at")  # An entry never changes.
ORGANIZATION = {
    **_STORED,
    "name": text,
    "country": text,
    "timezone": text,
    "default_currency": text,
    "available_currencies": rows,
    "vat_enabled": flag,
    "vat_rate": number,
    "wht_enabled": flag,
    "wht_rate": number,
    "event_ingestion_grace_period_hours": whole,
    "raw_event_retention_days": or_null(whole),
}


def differences(value, shape):
    """The shape's fields that are missing, or hold another type of value."""
    return {
        field: value.get(field, "is missing")
        for field, is_right in shape.items()
        if field not in value or not is_right(value[field])
    }
