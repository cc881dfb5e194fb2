"""A second opinion on usage: keeps every event, and counts by brute force.

Written from the behaviour page alone. It shares no code with the system that it audits.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

MISSING = object()
NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]+)?")
PLACES = 12
DIGITS = 18
GROUP_LENGTH = 255


@dataclass(frozen=True)
class Kept:
    """An event as it counts."""

    customer: str
    name: str
    at: datetime
    properties: dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """A metric: which events it counts, and how."""

    event_name: str
    aggregation: str
    counted: str = ""
    filters: tuple[tuple[str, str, Any], ...] = ()
    group_by: str = ""


@dataclass(frozen=True)
class Answer:
    """Usage as the auditor finds it."""

    quantity: Decimal
    event_count: int
    first: datetime | None
    last: datetime | None
    groups: dict[str, Decimal]
    # How many had no number that could be counted.
    uncounted: int


@dataclass
class Auditor:
    """Everything that was acknowledged, by idempotency key."""

    events: dict[str, Kept] = field(default_factory=dict)

    def keep(self, key: str, customer: str, name: str, at: datetime, properties: str) -> None:
        """Note an event that was told to be new."""
        assert key not in self.events, f"{key} was acknowledged as new twice"
        self.events[key] = Kept(customer, name, at, json.loads(properties, parse_float=Decimal))

    def usage(self, customer: str, rule: Rule, windows: list[tuple[datetime, datetime]]) -> Answer:
        """The usage of a customer in some windows."""
        found = [
            event
            for event in self.events.values()
            if (event.customer, event.name) == (customer, rule.event_name)
            and any(start <= event.at < end for start, end in windows)
            and all(passes(event.properties, *condition) for condition in rule.filters)
        ]
        groups: dict[str, list[Kept]] = {}
        for event in found if rule.group_by else ():
            groups.setdefault(group_of(event.properties, rule.group_by), []).append(event)
        times = [event.at for event in found]
        return Answer(
            quantity=quantity(rule, found),
            event_count=len(found),
            first=min(times, default=None),
            last=max(times, default=None),
            groups={value: quantity(rule, events) for value, events in groups.items()},
            uncounted=uncounted(rule, found),
        )


def quantity(rule: Rule, events: list[Kept]) -> Decimal:
    """What an aggregation makes of events; 0 where there is nothing to aggregate."""
    if rule.aggregation == "count":
        return Decimal(len(events))
    values = [event.properties.get(rule.counted) for event in events]
    if rule.aggregation == "unique":
        return Decimal(len({same(value) for value in values if value is not None}))
    numbers = [known for value in values if (known := number(value)) is not None]
    if not numbers:
        return Decimal(0)
    if rule.aggregation in {"max", "minimum"}:
        return max(numbers) if rule.aggregation == "max" else min(numbers)
    total = sum(map(Fraction, numbers))
    if rule.aggregation == "average":
        total = rounded(total / len(numbers))
    return decimal(total)


def uncounted(rule: Rule, events: list[Kept]) -> int:
    """How many events an aggregation of numbers can make nothing of."""
    if rule.aggregation in {"count", "unique"}:
        return 0
    return sum(number(event.properties.get(rule.counted)) is None for event in events)


def rounded(value: Fraction) -> Fraction:
    """Half to even at twelve places."""
    return Fraction(round(value * 10**PLACES), 10**PLACES)


def number(value: Any) -> Decimal | None:
    """A property's number as it counts: rounded half to even at twelve places."""
    sent = as_sent(value)
    return None if sent is None else decimal(rounded(Fraction(sent)))


def as_sent(value: Any) -> Decimal | None:
    """A JSON number or a string of plain digits, at most 18 before the point once it is rounded."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    text = value if isinstance(value, str) else plain(value)
    if not NUMBER.fullmatch(text) or abs(rounded(Fraction(text))) >= 10**DIGITS:
        return None
    return Decimal(text)


def decimal(value: Fraction) -> Decimal:
    """An exact decimal of what is one."""
    with localcontext(prec=100):
        return Decimal(value.numerator) / Decimal(value.denominator)


def plain(value: int | Decimal) -> str:
    """The digits of a JSON number, without an exponent."""
    return f"{Decimal(value):f}"


def same(value: Any) -> Any:
    """What two equal JSON values share; a string, a number and a truth value always differ."""
    if isinstance(value, bool) or value is None:
        return ("literal", value)
    if isinstance(value, int | Decimal):
        with localcontext(prec=100):
            return ("number", Decimal(value).normalize())
    if isinstance(value, list):
        return ("list", tuple(map(same, value)))
    if isinstance(value, dict):
        return ("object", frozenset((key, same(item)) for key, item in value.items()))
    return ("string", value)


def passes(properties: dict[str, Any], name: str, operator: str, operand: Any) -> bool:
    """Whether an event meets a condition; a missing property differs from every value."""
    value = properties.get(name, MISSING)
    match operator:
        case "exists":
            return value is not MISSING
        case "=" | "in":
            choices = operand if operator == "in" else [operand]
            return value is not MISSING and same(value) in map(same, choices)
        case "!=" | "not in":
            choices = operand if operator == "not in" else [operand]
            return value is MISSING or same(value) not in map(same, choices)
    left, right = None if value is MISSING else as_sent(value), as_sent(operand)
    if left is None or right is None:
        return False
    return {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[
        operator
    ]


def group_of(properties: dict[str, Any], name: str) -> str:
    """The text of a property's value, cut; empty where there is none."""
    value = properties.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:GROUP_LENGTH]
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return json.dumps(value)[:GROUP_LENGTH]
    return plain(value)[:GROUP_LENGTH]
