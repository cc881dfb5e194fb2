"""What the API says and wants to hear, as the billing simulation reads and writes it."""

from datetime import datetime
from fractions import Fraction
from typing import Any

from simulation.auditor import Rule


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


def path_of(invoice: dict[str, Any]) -> str:
    return "/v1/bills" if invoice["plan_type"] == "payout" else "/v1/invoices"


def told(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def at(text: Any) -> Any:
    return datetime.fromisoformat(text) if isinstance(text, str) else text
