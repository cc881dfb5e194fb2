"""Formulas over an event's properties: what they come to, and what is refused."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.expressions import ExpressionError, Fault, evaluate, parse

EVENT = {"fare": Decimal("100.50"), "tip": "7.25", "count": 3, "note": "late", "none": None}
NAMES = ("a", "b", "c")
COMPARE = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
PLAIN = st.decimals(-(10**6), 10**6, places=6, allow_nan=False).map(lambda number: number + 0)


class NoValueError(Exception):
    """The other evaluator found no value."""


def rounded(number, places):
    """Half to even, by whole numbers: shares nothing with decimal arithmetic."""
    return Fraction(round(number * 10**places), 10**places)


def written(number):
    return format(abs(number), "f")


def leaves():
    numbers = PLAIN.map(lambda number: (written(number), lambda _: Fraction(written(number))))
    names = st.sampled_from(NAMES).map(lambda name: (name, lambda event: Fraction(event[name])))
    return numbers | names


def quotient(one, other):
    if other == 0:
        raise NoValueError
    return rounded(one / other, 24)


def quotient_of_product(event):
    return quotient(event["a"], event["b"] * event["c"]) * 10**12


def joined(children):
    operations = {
        "+": lambda one, other: one + other,
        "-": lambda one, other: one - other,
        "*": lambda one, other: one * other,
        "/": quotient,
    }
    binary = st.builds(
        lambda sign, one, other: (
            f"({one[0]} {sign} {other[0]})",
            lambda event: operations[sign](one[1](event), other[1](event)),
        ),
        st.sampled_from(sorted(operations)),
        children,
        children,
    )
    negative = children.map(lambda one: (f"-({one[0]})", lambda event: -one[1](event)))
    extreme = st.builds(
        lambda name, items: (
            f"{name}({', '.join(text for text, _ in items)})",
            lambda event: {"min": min, "max": max}[name](item(event) for _, item in items),
        ),
        st.sampled_from(["min", "max"]),
        st.lists(children, min_size=1, max_size=3),
    )
    rounding = st.builds(
        lambda one, places: (
            f"round({one[0]}, {places})",
            lambda event: rounded(one[1](event), places),
        ),
        children,
        st.integers(0, 12),
    )
    choice = st.builds(
        lambda sign, items: (
            f"if({items[0][0]} {sign} {items[1][0]}, {items[2][0]}, {items[3][0]})",
            lambda event: (
                items[2][1](event)
                if COMPARE[sign](items[0][1](event), items[1][1](event))
                else items[3][1](event)
            ),
        ),
        st.sampled_from(sorted(COMPARE)),
        st.tuples(children, children, children, children),
    )
    return binary | negative | extreme | rounding | choice


FORMULAS = st.recursive(leaves(), joined, max_leaves=8)


def value(text, event=None):
    return evaluate(parse(text), EVENT if event is None else event)


def is_long(text):
    """Whether a number between two steps may have had too many digits to be worked with."""
    return text.count("*") + text.count("/") > 4


def by_fractions(formula, event):
    try:
        worked_out = rounded(formula(event), 12)
    except NoValueError:
        return Fault.DIVISION_BY_ZERO
    return Fault.TOO_LARGE if abs(worked_out) >= 10**18 else worked_out


@given(FORMULAS, st.fixed_dictionaries(dict.fromkeys(NAMES, PLAIN)))
def test_every_formula_comes_to_what_fractions_do(formula, event):
    text, expected = formula

    found = value(text, event)

    assert found in {by_fractions(expected, event), Fault.TOO_LARGE if is_long(text) else None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fare * 0.80", "80.4"),
        ("fare * 0.8 + tip", "87.65"),
        ("fare - tip - count", "90.25"),
        ("10 / 4 / 5", "0.5"),
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("-fare + 100.5", "0"),
        ("1 / 3", "0.333333333333"),
        ("1 / 3 * 3", "1"),
        ("round(2.5, 0) + round(-3.5, 0)", "-2"),
        ("min(fare, 20, count)", "3"),
        ("max(fare, 20)", "100.5"),
        ("if(fare >= 100.5, 1, 2)", "1"),
        ("if(count != 3, 1 / 0, 2)", "2"),
        ("if(fare = 100.50, if(tip < 8, 1, 2), 3)", "1"),
        ("  fare\n*\t2", "201"),
    ],
)
def test_a_formula_comes_to(text, expected):
    assert value(text) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "event", "fault"),
    [
        ("fare", {}, Fault.PROPERTY_MISSING),
        ("note", EVENT, Fault.NOT_A_NUMBER),
        ("none", EVENT, Fault.NOT_A_NUMBER),
        ("a", {"a": Decimal("1e999999999")}, Fault.NOT_A_NUMBER),
        ("a", {"a": True}, Fault.NOT_A_NUMBER),
        ("a", {"a": [1]}, Fault.NOT_A_NUMBER),
        ("1 / (count - 3)", EVENT, Fault.DIVISION_BY_ZERO),
        ("fare / 0", EVENT, Fault.DIVISION_BY_ZERO),
        ("a * a", {"a": 10**9}, Fault.TOO_LARGE),
        ("a / 0.000000000001 / 0.000000000001", {"a": 10**17}, Fault.TOO_LARGE),
        (" * ".join(["a"] * 40), {"a": 10**17}, Fault.TOO_LARGE),
        ("if(note > 1, 1, 2)", EVENT, Fault.NOT_A_NUMBER),
    ],
)
def test_an_event_without_a_value_says_why(text, event, fault):
    assert value(text, event) is fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: a number, a property or a function is missing"),
        ("fare *", "column 7: a number, a property or a function is missing"),
        ("(fare", "column 6: ')' is missing, found the end"),
        ("fare tip", "column 6: 'tip' was not expected here"),
        ("fare)", "column 5: ')' was not expected here"),
        ("abs(fare)", "column 1: 'abs' is no function; there are min, max, round, if"),
        ("os.system", "column 3: is neither a number, a name nor a sign"),
        ("__import__(os)", "column 1: '__import__' is no function; there are min, max, round, if"),
        ("fare ** 2", "column 7: a number, a property or a function is missing"),
        ("1e5", "column 1: is neither a number, a name nor a sign"),
        ("1.", "column 1: is neither a number, a name nor a sign"),
        ("if(fare, 1, 2)", "column 8: a comparison is missing: one of = != < <= > >="),
        ("fare > 1", "column 6: '>' was not expected here"),
        ("round(fare)", "column 11: ',' is missing, found ')'"),
        ("round(fare, 13)", "column 13: the places must be a number, 0 to 12"),
        ("round(fare, -1)", "column 13: the places must be a number, 0 to 12"),
        ("min()", "column 5: a number, a property or a function is missing"),
        ("1" * 19, "column 1: must have at most 18 digits before the point and 12 after it"),
        ("0." + "1" * 13, "column 1: must have at most 18 digits before the point and 12 after it"),
        ("(" * 33 + "1" + ")" * 33, "column 33: is nested more than 32 deep"),
        ("-" * 33 + "1", "column 33: is nested more than 32 deep"),
        ("+".join("1" * 51), "column 100: has more than 100 parts"),
        ("1" + " " * 1_000, "must be at most 1000 characters"),
        ("a" * 10_000_000, "must be at most 1000 characters"),
    ],
)
def test_what_is_no_formula_is_refused_by_its_column(text, message):
    with pytest.raises(ExpressionError) as caught:
        parse(text)

    assert str(caught.value) == message


@given(st.text(max_size=60) | st.text("ab1.+-*/(),<>=! if", max_size=60))
def test_any_text_is_read_or_refused_as_no_formula(text):
    try:
        tree = parse(text)
    except ExpressionError:
        return
    assert isinstance(evaluate(tree, {"a": 1, "b": 2}), Decimal | Fault)


WIDE = st.decimals(-(10**9), 10**9, places=12, allow_nan=False).map(lambda number: number + 0)


@given(st.fixed_dictionaries(dict.fromkeys(NAMES, WIDE)))
def test_a_quotient_by_a_number_of_many_digits_comes_to_what_fractions_do(event):
    text = "a / (b * c) * 1000000000000"

    found = value(text, event)

    fractions = {name: Fraction(number) for name, number in event.items()}
    assert found == by_fractions(quotient_of_product, fractions)


def test_half_of_a_long_quotient_is_rounded_to_even():
    odd = 10**13 + 1

    found = value("a / 33554432", {"a": odd})

    assert found == rounded(Fraction(odd, 33554432), 12)


def test_a_quotient_is_rounded_half_to_even_once():
    context = Context(prec=60, rounding=ROUND_HALF_EVEN)

    found = value("a / 8000000000000 * 1000000000000", {"a": 1})

    assert found == context.quantize(Decimal("0.125"), Decimal("1e-12"))
