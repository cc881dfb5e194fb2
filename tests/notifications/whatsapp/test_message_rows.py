"""What the database refuses of messages, whatever the code does; and what a dead process leaves."""

import asyncpg
import pytest

from support.whatsapp import (
    deliver,
    log,
    look_for_confirmations,
    mails,
    script,
    send_messages,
    taken,
)

ADDRESSED = "phone = '1', template = 't', language = 'en', sending_at = now()"
TAKEN = "whatsapp_messages_taken_have_their_id"


@pytest.fixture
def message(api, shop):
    """A message that waits to be sent."""
    shop.owe()
    deliver(api)
    return log(api)


def alter(api, message, assignments):
    query = f"UPDATE whatsapp_messages SET {assignments} WHERE org_id = $1 AND id = $2"
    api.backend.sql(query, api.org_id, message["id"])


@pytest.mark.parametrize(
    ("assignments", "constraint"),
    [
        (f"status = 'gone', {ADDRESSED}", "whatsapp_messages_status_known"),
        ("status = 'sending'", "whatsapp_messages_sent_to_somebody"),
        (f"status = 'accepted', {ADDRESSED}, accepted_at = now()", TAKEN),
        ("status = 'failed', reason = 'x'", "whatsapp_messages_failed_has_its_time"),
        ("status = 'failed', failed_at = now()", "whatsapp_messages_failed_says_why"),
        (f"status = 'read', {ADDRESSED}, whatsapp_id = 'w'", "whatsapp_messages_read_has_its_time"),
        ("fact_id = NULL", "whatsapp_messages_tests_have_no_occasion"),
        ("attempts = -1", "whatsapp_messages_attempts_not_negative"),
    ],
)
def test_states_that_contradict_themselves_are_refused(api, message, assignments, constraint):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        alter(api, message, assignments)

    assert refused.value.constraint_name == constraint


def test_what_a_dead_process_was_sending_is_not_sent_again(api, message):
    script(api, "pending")
    alter(
        api,
        message,
        "status = 'sending', phone = '2348031234567', template = 't', language = 'en',"
        f" attempts = 1, sending_at = '{api.backend.clock.now().isoformat()}'",
    )

    send_messages(api)
    api.backend.clock.advance(minutes=2)
    send_messages(api)
    lost = log(api)
    api.backend.clock.advance(minutes=10)
    look_for_confirmations(api)

    assert (lost["status"], taken(api)) == ("unknown", [])
    assert mails(api) == ["invoice_finalized"]
