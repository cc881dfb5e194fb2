"""Pure rules of attribution: whom an event names, and what it is worth to them."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from monigo.core.expressions import Fault, evaluate
from monigo.core.ids import CustomerId
from monigo.metering.attribution.types import Amounts, Rule, Seen

# The longest external_id that there is.
RECIPIENT_LENGTH_MAX = 255
RECIPIENT_MISSING = "recipient_missing"

_NUMBER_STARTS = frozenset("-0123456789")
# Stands for a value that is no number: a list, an object, true, false or null.
_OTHER = object()


def amounts_by(rule: Rule, events: Sequence[Seen]) -> Amounts:
    """What events are worth by a rule, and whom they name; who that is remains to be found."""
    found = Amounts(rule.metric_id)
    # Many events hold the same: it is worked out once.
    worked_out: dict[tuple[str | None, ...], Decimal | Fault] = {}
    for event in events:
        recipient = recipient_in(event.held[0])
        held = tuple(event.held if rule.looks_at_recipient else event.held[1:])
        value = worked_out.get(held)
        if value is None:
            value = worked_out[held] = evaluate(rule.tree, _properties(rule, event.held))
        fault = value.value if isinstance(value, Fault) else ""
        found.dedups.append(event.dedup)
        found.occurred.append(event.occurred_at)
        found.recipients.append(recipient)
        found.faults.append(fault if recipient else RECIPIENT_MISSING)
        found.amounts.append(value if recipient and isinstance(value, Decimal) else None)
    return found


def name_customers(found: Amounts, known: Mapping[str, CustomerId]) -> None:
    """Put customers in the place of those recipients who are some."""
    found.customer_ids = [known.get(recipient) for recipient in found.recipients]
    found.recipients = [
        "" if customer_id else recipient
        for recipient, customer_id in zip(found.recipients, found.customer_ids, strict=True)
    ]


def recipient_in(held: str | None) -> str:
    """Whom a property names, given its JSON: a text or a whole number; empty for nobody."""
    if held is None:
        return ""
    is_whole = held.removeprefix("-").isdigit()
    text = held if is_whole else _text(held) if held[0] == '"' else ""
    return text if len(text) <= RECIPIENT_LENGTH_MAX else ""


def _properties(rule: Rule, held: Sequence[str | None]) -> dict[str, Any]:
    named = zip(rule.names, held, strict=False)
    return {name: _value(text) for name, text in named if text is not None}


def _value(text: str) -> object:
    """A property's value as far as it may be a number; lists and objects are not looked into."""
    if text[0] in _NUMBER_STARTS:
        return Decimal(text)
    return _text(text) if text[0] == '"' else _OTHER


def _text(held: str) -> str:
    """What a JSON string says; most have nothing in them that is escaped."""
    return json.loads(held) if "\\" in held else held[1:-1]
