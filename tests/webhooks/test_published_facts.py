"""Billing events are facts under their public names: there at once, and the same for ever."""

import asyncio

import asyncpg
import pytest

from monigo.bootstrap import REGISTRY
from monigo.cli.verification import verify_tenant
from monigo.core.errors import InvariantError
from monigo.infra.db.schema import sql_files
from monigo.infra.facts import Recorded
from monigo.infra.ids import new_id
from monigo.webhooks.projection import NAMES, TYPES, project
from support.facts import Unheard, sample

PUBLISHED = "SELECT id, published_as FROM outbox_facts WHERE org_id = $1 ORDER BY id"
UNPUBLISH = "UPDATE outbox_facts SET published_as = NULL WHERE org_id = $1"
(MIGRATION,) = [file for file in sql_files.migrations() if file.version == 20]
(NAMING,) = [text for text in MIGRATION.statements() if text.startswith("UPDATE outbox_facts")]


@pytest.fixture
def story(api):
    """Facts that are published, and others that are not."""
    subscription = api.subscribed_customer()[-1]
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "paused"})
    api.finalize(api.draft(subscription["id"])["id"])
    return api


def events(api, **wanted):
    answer = api.get("/v1/billing-events", params=wanted).json()
    assert answer["total"] == answer["count"]
    return answer["events"]


def test_events_are_there_with_the_answer_to_what_they_report(story):
    assert [event["type"] for event in events(story)] == [
        "invoice.paid",
        "invoice.finalized",
        "invoice.created",
        "subscription.paused",
        "subscription.created",
    ]
    assert [event["type"] for event in events(story, type="invoice.paid")] == ["invoice.paid"]


def test_verify_finds_a_fact_that_is_not_published_as_it_should_be(backend, story):
    assert differences(backend, story) == []

    backend.sql(
        "UPDATE outbox_facts SET published_as = NULL WHERE org_id = $1 AND type = 'InvoicePaid'",
        story.org_id,
    )
    backend.sql(
        "UPDATE outbox_facts SET published_as = 'invoice.paid'"
        " WHERE org_id = $1 AND type = 'InvoiceFinalized'",
        story.org_id,
    )

    assert sorted(differences(backend, story), key=str) == [
        ("invoice.paid", "invoice.finalized"),
        (None, "invoice.paid"),
    ]


def differences(backend, api):
    verified = backend.run(verify_tenant(backend.services.database, api.tenant))
    return [
        (found.stored, found.computed)
        for one in verified
        for found in one.differences
        if found.what == "billing event"
    ]


@pytest.mark.parametrize("fact_type", NAMES, ids=lambda one: one.__name__)
def test_every_published_fact_has_a_name_and_a_shape(backend, fact_type):
    fact = sample(fact_type)

    event = project(Recorded(new_id(), 1, fact, "system:test", backend.clock.now()))

    assert TYPES[fact_type.__name__] is fact_type
    assert event.type == REGISTRY.public_name(fact)
    assert len(event.data) == 1


def test_what_is_not_published_has_no_name_and_no_shape(backend):
    fact = Unheard(thing_id=new_id(), text="so what")

    assert REGISTRY.public_name(fact) is None
    with pytest.raises(InvariantError):
        project(Recorded(new_id(), 1, fact, "system:test", backend.clock.now()))


def test_facts_from_before_get_the_names_that_they_would_have_now(backend, story):
    """By the migration; nothing of it stays."""

    async def run():
        connection = await asyncpg.connect(backend.owner_url)
        transaction = connection.transaction()
        await transaction.start()
        try:
            known = await connection.fetch(PUBLISHED, story.org_id)
            await connection.execute(UNPUBLISH, story.org_id)
            await connection.execute(NAMING)
            return known, await connection.fetch(PUBLISHED, story.org_id)
        finally:
            await transaction.rollback()
            await connection.close()

    known, named = asyncio.run(run())

    assert named == known
    assert sum(row["published_as"] is not None for row in known) == len(events(story))
