"""What the Cloud API's answers and signatures mean, by Meta's own samples."""

import pytest

from monigo.providers.whatsapp import (
    Accepted,
    Advice,
    NoAnswer,
    Refused,
    is_signed,
    read_hook,
)
from monigo.providers.whatsapp.answers import message_outcome

SIGNED = b'{"object":"whatsapp_business_account","entry":[]}'
SIGNATURE = "sha256=c236c758c9b2bd40b388a550eeca09eaca72384dd0aa5e7c31d19cddac5bba46"


def error(code):
    return b'{"error":{"message":"(#1) said","type":"OAuthException","code":%d}}' % code


def test_metas_sample_of_a_signature_is_accepted():
    assert is_signed("app_secret", {"x-hub-signature-256": SIGNATURE}, SIGNED)


@pytest.mark.parametrize(
    ("secret", "header", "raw"),
    [
        ("app_secret", SIGNATURE, SIGNED + b" "),
        ("app_secre", SIGNATURE, SIGNED),
        ("app_secret", SIGNATURE.removeprefix("sha256="), SIGNED),
        ("app_secret", "", SIGNED),
        ("app_secret", "\u20ac", SIGNED),
    ],
)
def test_another_signature_is_not(secret, header, raw):
    assert not is_signed(secret, {"x-hub-signature-256": header}, raw)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        *[(code, Advice.AGAIN) for code in (1, 2, 4, 80007, 130429, 131000, 131016)],
        (131056, Advice.AGAIN_LATER),
        *[(code, Advice.MEND) for code in (0, 3, 10, 190, 200, 299, 368, 131031, 131042, 133010)],
        *[(code, Advice.OTHER_WAY) for code in (131026, 131030, 131047, 131048, 131049, 130472)],
        *[(code, Advice.OTHER_WAY) for code in (132000, 132001, 132007, 132012, 132015, 132016)],
        (999_999, Advice.OTHER_WAY),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_what_to_do_about_a_refusal_is_said_by_its_code_alone(status, code, advice):
    assert message_outcome(status, error(code)) == Refused(code, "(#1) said", advice)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"<h1>Internal Server Error</h1>"),
        (429, b"slow down"),
        (200, b"{}"),
        (200, b'{"messages":[{"id":""}]}'),
        (302, b'{"messages":[{"id":"wamid.1"}]}'),
        (400, b'{"error":"no object"}'),
        (400, b'{"error":{"message":"no code"}}'),
        (400, b'{"error":{"code":true}}'),
        (200, b"[" * 100_000),
    ],
)
def test_what_says_nothing_of_a_message_is_no_answer(status, body):
    assert isinstance(message_outcome(status, body), NoAnswer)


def test_a_message_that_was_taken_has_an_id():
    taken = b'{"messages":[{"id":"wamid.HBg1","message_status":"accepted"}]}'

    assert message_outcome(200, taken) == Accepted("wamid.HBg1")


def test_a_hook_without_a_number_reports_nothing():
    raw = b'{"entry":[{"changes":[{"field":"messages","value":{"statuses":[{"id":"w"}]}}]}]}'

    assert read_hook(raw) == []
