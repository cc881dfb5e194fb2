"""Which values jsonb can hold."""

from decimal import Decimal

import pytest

from monigo.core.jsonb import DEPTH_MAX, NUMBER_DIGITS_MAX, storage_fault

TOO_MANY_DIGITS = "holds a number of more than 1000 digits"
TOO_DEEP = "is nested more than 100 deep"
NUL = "must not hold a NUL character"
SURROGATE = "must not hold half of a surrogate pair"


def nested(depth, innermost=None):
    value = innermost
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, "", "text", "\ud7ff\ue000", "\U0001f600", 0, -1, Decimal("1.5")),
        *(10 ** (NUMBER_DIGITS_MAX - 1), Decimal("1e999"), Decimal("1e-999"), Decimal("-1e999")),
        *([], {}, [1, "a", None], {"a": {"b": [True]}}, nested(DEPTH_MAX), nested(DEPTH_MAX, "a")),
    ],
)
def test_an_ordinary_value_can_be_held(value):
    assert storage_fault(value) is None


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("a\x00b", NUL),
        (chr(0xD800), SURROGATE),
        (chr(0xDFFF), SURROGATE),
        (f"a{chr(0xDC00)}b", SURROGATE),
        (10**NUMBER_DIGITS_MAX, TOO_MANY_DIGITS),
        (-(10**NUMBER_DIGITS_MAX), TOO_MANY_DIGITS),
        (Decimal("1e1000"), TOO_MANY_DIGITS),
        (Decimal("1e-1000"), TOO_MANY_DIGITS),
        (Decimal("NaN"), TOO_MANY_DIGITS),
        (Decimal("Infinity"), TOO_MANY_DIGITS),
        (nested(DEPTH_MAX + 1), TOO_DEEP),
    ],
)
@pytest.mark.parametrize(
    "place",
    [lambda value: value, lambda value: [1, value], lambda value: {"a": 1, "b": value}],
    ids=["alone", "in a list", "in an object"],
)
def test_what_can_not_be_held_is_told(value, fault, place):
    assert storage_fault(place(value)) == fault


@pytest.mark.parametrize(("key", "fault"), [("a\x00", NUL), ("\ud800", SURROGATE)])
def test_a_key_that_can_not_be_held_is_told(key, fault):
    assert storage_fault({"a": {key: 1}}) == fault


@pytest.mark.parametrize(
    ("value", "depth"),
    [([], DEPTH_MAX), ({}, DEPTH_MAX), ("a", DEPTH_MAX), (None, DEPTH_MAX)],
)
def test_a_value_may_stand_as_deep_as_the_limit_and_no_deeper(value, depth):
    assert storage_fault(value, depth) is None
    assert storage_fault(value, depth + 1) == TOO_DEEP


def test_the_first_fault_is_told():
    assert storage_fault(["fine", "\x00", "\ud800"]) == NUL
