"""The tree of an expression, and why an event may have no amount by it."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct


class Operator(StrEnum):
    """Arithmetic between two numbers."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"


class Comparison(StrEnum):
    """What the condition of an `if` asks of two numbers."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="


class Number(Struct, frozen=True):
    """A number as it is written."""

    value: Decimal


class Property(Struct, frozen=True):
    """The number in a property of the event."""

    name: str


class Negation(Struct, frozen=True):
    """A number with the opposite sign."""

    operand: "Node"


class Operation(Struct, frozen=True):
    """Two numbers, added, subtracted, multiplied or divided."""

    operator: Operator
    left: "Node"
    right: "Node"


class Extreme(Struct, frozen=True):
    """The largest or the least of some numbers."""

    is_largest: bool
    items: tuple["Node", ...]


class Rounding(Struct, frozen=True):
    """A number, half to even, at some decimal places."""

    operand: "Node"
    places: int


class Condition(Struct, frozen=True):
    """A comparison of two numbers."""

    comparison: Comparison
    left: "Node"
    right: "Node"


class Choice(Struct, frozen=True):
    """One of two numbers, of which only the chosen one is worked out."""

    condition: Condition
    then: "Node"
    otherwise: "Node"


Node = Number | Property | Negation | Operation | Extreme | Rounding | Choice


def names_in(node: Node) -> frozenset[str]:
    """The properties that an expression looks at."""
    match node:
        case Property():
            return frozenset({node.name})
        case Number():
            parts: tuple[Node, ...] = ()
        case Negation() | Rounding():
            parts = (node.operand,)
        case Operation():
            parts = (node.left, node.right)
        case Extreme():
            parts = node.items
        case Choice():
            parts = (node.condition.left, node.condition.right, node.then, node.otherwise)
    return frozenset[str]().union(*map(names_in, parts))


class Fault(StrEnum):
    """Why an expression has no value for an event."""

    PROPERTY_MISSING = "property_missing"
    NOT_A_NUMBER = "not_a_number"
    DIVISION_BY_ZERO = "division_by_zero"
    TOO_LARGE = "too_large"
