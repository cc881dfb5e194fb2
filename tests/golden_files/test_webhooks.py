"""tests/golden/webhooks has an event of each type as it is sent; the document describes it."""

import json
import re
from datetime import UTC, datetime

import httpx
import jsonschema_rs
import msgspec
import pytest

from monigo.core.ids import OrganizationId
from monigo.infra.db import Tenant
from monigo.infra.facts import Recorded
from monigo.infra.ids import new_id
from monigo.webhooks import EventType, body_of, shape_of
from monigo.webhooks.projection import NAMES, SubscriptionPaused, project
from support.facts import sample
from support.golden import ROOT, assert_golden

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
UUID_PATTERN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PAUSES = {
    EventType.PREPAID_BALANCE_INSUFFICIENT: False,
    EventType.REALTIME_BALANCE_EXHAUSTED: True,
}
PAGE = (ROOT / "docs/webhooks.md").read_text()


@pytest.fixture(scope="module")
def document(backend):
    return httpx.get(f"{backend.url}/openapi.json", timeout=60).json()


def fact_of(name):
    """Some fact that is published under a name."""
    if name in PAUSES:
        reason = "insufficient_balance"
        paused = sample(SubscriptionPaused)
        return msgspec.structs.replace(
            paused, reason=type(paused.reason)(reason), is_realtime=PAUSES[name]
        )
    (fact_type,) = [one for one, known in NAMES.items() if known is name]
    return sample(fact_type)


def text_of(name):
    """An event of a type as JSON, with ids that are the same each time."""
    recorded = Recorded(new_id(), 3, fact_of(name), "system:test", AT)
    tenant = Tenant(OrganizationId(new_id()), is_test=True)
    raw = msgspec.json.encode(body_of(project(recorded), tenant)).decode()
    known = {}
    return UUID_PATTERN.sub(
        lambda found: known.setdefault(found[0], f"00000000-0000-7000-8000-{len(known) + 1:012}"),
        raw,
    )


@pytest.mark.parametrize("name", EventType, ids=lambda one: one.value)
def test_an_event_of_each_type_is_the_one_that_is_checked_in(name):
    text = json.dumps(json.loads(text_of(name)), indent=2) + "\n"

    assert_golden(f"tests/golden/webhooks/{name.value}.json", text)


@pytest.mark.parametrize("name", EventType, ids=lambda one: one.value)
def test_the_document_describes_an_event_of_each_type(document, name):
    operation = document["webhooks"][name.value]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]

    whole = {**schema, "components": document["components"]}
    jsonschema_rs.validator_for(whole).validate(json.loads(text_of(name)))


def test_the_page_of_webhooks_lists_every_type_and_what_it_is_about():
    listed = re.findall(r"^\| `([a-z_.]+)` \| `([a-z_]+)` \|", PAGE, re.MULTILINE)

    assert dict(listed) == {name.value: shape_of(name)[0] for name in EventType}
    assert len(listed) == len(EventType)
