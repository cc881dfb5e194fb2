"""What the API says and wants to hear, as the billing simulation reads and writes it."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from simulation.auditor import Rule

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
ZONES = (
    *("UTC", "Africa/Lagos", "Africa/Cairo", "Africa/Casablanca", "Europe/Berlin"),
    *("America/New_York", "Asia/Kathmandu", "Asia/Beirut", "America/Havana"),
)
PERIODS = (*["monthly"] * 5, "weekly", "weekly", "daily", "quarterly", "annually")
MODES = ("postpaid", "postpaid", "prepaid", "prepaid", "realtime", "realtime")
AMOUNTS = ("0", "0.5", "1", "2.25", "0.000001", "0.333333333333", "10", "99.99", "1234.5")
SMALL = ("0.5", "0.4", "0.004", "0.1", "0.333333333333", "1")
MONEY = ("0", "1", "5.5", "100", "0.005", "49.999999", "1000")
NUMBERS = (
    *(1, 2, 3, 0.5, 2.75, -1, -4.25, "7.125", "0.000000000001", 1000),
    *(0.30000000000000004, "12.3456789012345678", "0.0000000000025", "-1.0000000000005"),
)
NO_NUMBERS = ("x", None, "1_000", " 12 ", "NaN", 1e30, True, "1e3")
METRICS = {
    "count": {"event_name": "call", "aggregation": "count"},
    "sum": {"event_name": "pay", "aggregation": "sum", "aggregation_property": "n"},
    "max": {"event_name": "call", "aggregation": "max", "aggregation_property": "n"},
    "unique": {"event_name": "call", "aggregation": "unique", "aggregation_property": "user"},
    "average": {"event_name": "pay", "aggregation": "average", "aggregation_property": "n"},
    "minimum": {"event_name": "pay", "aggregation": "minimum", "aggregation_property": "n"},
}


def exact(rate: float) -> Fraction:
    return Fraction(str(rate))


def rule_of(body: dict[str, Any]) -> Rule:
    """A metric's body as the auditor counts."""
    return Rule(
        event_name=body["event_name"],
        aggregation=body["aggregation"],
        counted=body.get("aggregation_property", ""),
        filters=tuple(
            (known["property"], known["operator"], known["value"])
            for known in body.get("filters", [])
        ),
        group_by=body.get("group_by", ""),
    )


def path_of(plan_type: str) -> str:
    return "/v1/bills" if plan_type == "payout" else "/v1/invoices"


def told(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def hour_before(instant: datetime) -> datetime:
    """The start of the hour, UTC, that an instant lies in."""
    return instant.replace(minute=0, second=0, microsecond=0)


def at(text: Any) -> Any:
    return datetime.fromisoformat(text) if isinstance(text, str) else text


def as_read(invoice: dict[str, Any]) -> dict[str, Any]:
    """An invoice or bill in the auditor's terms, its instants parsed."""
    is_bill = "issued_at" in invoice
    known = {
        **invoice,
        "plan_type": "payout" if is_bill else "collection",
        "status": {"voided": "void"}.get(invoice["status"], invoice["status"]),
        "tax": invoice["wht_amount" if is_bill else "vat_amount"],
        "finalized_at": at(invoice["issued_at" if is_bill else "finalized_at"]),
    }
    lines = [dict(line) for line in invoice["line_items"]]
    for each in (known, *lines):
        each |= {name: at(each[name]) for name in ("period_start", "period_end")}
    return {**known, "line_items": lines}
