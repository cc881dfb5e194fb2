"""What the log tells of a change: the fields that differ, bounded, without secrets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.audit import changed_fields
from monigo.audit.rules import FIELDS_LENGTH_MAX, MASK

NAMES = st.sampled_from(["name", "email", "metadata", "status", "token", "secret_key"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5_000),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.none() | st.dictionaries(NAMES, VALUES)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"a": "x", "b": "1"}, {"a": "y", "b": "1"}, ({"a": "x"}, {"a": "y"})),
        (None, {"name": "Ada", "email": "", "phone": None}, (None, {"name": "Ada"})),
        ({"name": "Ada", "email": ""}, None, ({"name": "Ada"}, None)),
        ({"paid_at": None}, {"paid_at": "now"}, ({"paid_at": None}, {"paid_at": "now"})),
        ({"flag": True}, {"flag": False}, ({"flag": True}, {"flag": False})),
        ({"name": "Ada", "updated_at": "1"}, {"name": "Ada", "updated_at": "2"}, None),
        ({"name": "Ada"}, {"name": "Ada"}, None),
        ({"email": ""}, {"email": None}, None),
        (None, {}, (None, {})),
    ],
)
def test_the_fields_that_differ_are_told(before, after, told):
    assert changed_fields(before, after) == told


@pytest.mark.parametrize(
    "name",
    ["secret", "password", "token", "client_secret", "Webhook_Secret", "api_key", "secret_key"],
)
def test_what_opens_something_is_masked_and_its_change_told(name):
    assert changed_fields({name: "old"}, {name: "new"}) == ({name: MASK}, {name: MASK})


def test_secrets_within_values_are_masked():
    metadata = {"crm": [{"token": "t-1", "id": 7}], "idempotency_key": "order-1"}

    _, after = changed_fields({"metadata": {}}, {"metadata": metadata})

    assert after == {"metadata": {"crm": [{"token": MASK, "id": 7}], "idempotency_key": "order-1"}}


def test_a_long_value_is_cut_and_says_so():
    _, after = changed_fields({"description": ""}, {"description": "x" * 3_000})

    assert after == {"description": "x" * 2_000 + "… (3000 characters)"}


def test_a_long_list_is_cut_as_its_text():
    prices = [{"unit_price": "1.000000"}] * 500

    _, after = changed_fields({"prices": []}, {"prices": prices})

    assert after["prices"].startswith('[{"unit_price":"1.000000"},')
    assert after["prices"].endswith("… (13001 characters)")


@given(before=FIELDS, after=FIELDS)
def test_a_change_is_told_bounded_or_there_is_none(before, after):
    told = changed_fields(before, after)

    if told is None:
        assert (before is None) == (after is None)
    else:
        assert len(json.dumps(told, ensure_ascii=False)) <= 6 * FIELDS_LENGTH_MAX + 2_000  # escapes
        assert [side is None for side in told] == [before is None, after is None]


@given(secret=st.text(min_size=8).filter(lambda text: text not in "secret_key token …"))
def test_no_secret_is_told_however_deep_it_lies(secret):
    fields = {"metadata": [{"secret_key": secret}, {"deep": {"token": {"value": secret}}}]}

    assert json.dumps(secret)[1:-1] not in json.dumps(changed_fields(None, fields))
