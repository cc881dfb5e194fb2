"""Works out what an event is worth by an expression: exact, but where it divides or rounds."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import reduce
from operator import eq, ge, gt, le, lt, ne
from typing import Any, assert_never

from monigo.core.aggregation import (
    PROPERTY_INTEGER_DIGITS_MAX,
    PROPERTY_PLACES,
    numeric_property,
)
from monigo.core.expressions.types import (
    Choice,
    Comparison,
    Condition,
    Extreme,
    Fault,
    Negation,
    Node,
    Number,
    Operation,
    Operator,
    Property,
    Rounding,
)

# A quotient is rounded half to even at as many places: twice those of a quantity, so that a product
# with it is right at twelve places where the other factor is below a trillion.
QUOTIENT_PLACES = 24
# Between two steps a number may grow beyond what an amount can be, but not without bound.
DIGITS_MAX = 400

_COMPARE = {
    Comparison.EQUAL: eq,
    Comparison.UNEQUAL: ne,
    Comparison.LESS: lt,
    Comparison.AT_MOST: le,
    Comparison.GREATER: gt,
    Comparison.AT_LEAST: ge,
}
_STEPS = [Decimal(1).scaleb(-places) for places in range(PROPERTY_PLACES + 1)]
# To lose a digit raises; what is beyond DIGITS_MAX loses one.
_EXACT = Context(
    prec=DIGITS_MAX, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow, Inexact]
)
_ROUNDING = Context(prec=DIGITS_MAX, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow])


class _NoValueError(Exception):
    """An expression has no value for the event."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


def evaluate(tree: Node, properties: Mapping[str, Any]) -> Decimal | Fault:
    """The value of an expression for an event's properties, half to even at twelve places.

    `properties` is decoded JSON with its fractions as Decimal. A number is what one is to metrics
    (`numeric_property`).
    """
    try:
        value = _ROUNDING.quantize(_value(tree, properties), _STEPS[PROPERTY_PLACES])
    except _NoValueError as error:
        return error.fault
    except (Inexact, InvalidOperation, Overflow):
        return Fault.TOO_LARGE
    if value.adjusted() >= PROPERTY_INTEGER_DIGITS_MAX:
        return Fault.TOO_LARGE
    # A negative zero, which would print as "-0", becomes zero.
    return _ROUNDING.plus(value)


def _value(node: Node, properties: Mapping[str, Any]) -> Decimal:
    match node:
        case Operation():
            value = _calculated(node, properties)
        case Property():
            value = _held(node.name, properties)
        case Number():
            value = node.value
        case Negation():
            value = _EXACT.minus(_value(node.operand, properties))
        case Rounding():
            operand = _value(node.operand, properties)
            value = _ROUNDING.quantize(operand, _STEPS[node.places])
        case Extreme():
            value = _extreme(node, [_value(item, properties) for item in node.items])
        case Choice():
            chosen = node.then if _holds(node.condition, properties) else node.otherwise
            value = _value(chosen, properties)
        case _:
            assert_never(node)
    return value


def _held(name: str, properties: Mapping[str, Any]) -> Decimal:
    if name not in properties:
        raise _NoValueError(Fault.PROPERTY_MISSING)
    number = numeric_property(properties[name])
    if number is None:
        raise _NoValueError(Fault.NOT_A_NUMBER)
    return number


def _calculated(node: Operation, properties: Mapping[str, Any]) -> Decimal:
    left, right = _value(node.left, properties), _value(node.right, properties)
    match node.operator:
        case Operator.ADD:
            return _EXACT.add(left, right)
        case Operator.SUBTRACT:
            return _EXACT.subtract(left, right)
        case Operator.MULTIPLY:
            return _EXACT.multiply(left, right)
        case Operator.DIVIDE:
            return _quotient(left, right)


def _quotient(left: Decimal, right: Decimal) -> Decimal:
    """`left` ÷ `right`, rounded once: by what is left over, not by a quotient that was cut."""
    if not right:
        raise _NoValueError(Fault.DIVISION_BY_ZERO)
    shifted = _EXACT.scaleb(left, QUOTIENT_PLACES)
    whole, remainder = _EXACT.divmod(shifted, right)
    twice, divisor = _EXACT.multiply(remainder, Decimal(2)).copy_abs(), right.copy_abs()
    # Not `abs` and `%`, which round to the 28 digits of Python's own context.
    is_up = twice > divisor or (twice == divisor and bool(_EXACT.remainder(whole, Decimal(2))))
    if is_up:
        step = Decimal(1).copy_sign(left) * Decimal(1).copy_sign(right)
        whole = _EXACT.add(whole, step)
    return _EXACT.scaleb(whole, -QUOTIENT_PLACES)


def _extreme(node: Extreme, values: Sequence[Decimal]) -> Decimal:
    choose = _EXACT.max if node.is_largest else _EXACT.min
    return reduce(choose, values)


def _holds(condition: Condition, properties: Mapping[str, Any]) -> bool:
    left, right = _value(condition.left, properties), _value(condition.right, properties)
    return _COMPARE[condition.comparison](left, right)
