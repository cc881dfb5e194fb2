"""A merchant sees what each mail says in each language before it goes out."""

import re

import pytest

from monigo.infra.languages import CODES
from monigo.tenancy import MailType
from support.customer_mails import TYPES

PATH = "/v1/customer-mails/preview"
LEFT_OPEN = re.compile(r"[{}]")
NOTICES = {"card_expiring", "payout_sent", "balance_low"}


def preview(api, **wanted):
    answer = api.get(PATH, params=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()["mail_preview"]


def test_every_type_can_be_looked_at():
    assert tuple(MailType) == TYPES


@pytest.mark.parametrize("mail_type", TYPES)
def test_a_mail_says_something_else_in_each_language(api, mail_type):
    shown = [preview(api, type=mail_type, locale=code) for code in CODES]

    assert [one["locale"] for one in shown] == list(CODES)
    assert [one["direction"] for one in shown] == ["ltr"] * (len(CODES) - 1) + ["rtl"]
    assert len({one["subject"] for one in shown}) == len(CODES)
    assert len({one["text"] for one in shown}) == len(CODES)
    assert [one for one in shown if LEFT_OPEN.search(one["subject"] + one["text"])] == []
    assert {one["can_be_stopped"] for one in shown} == {mail_type in NOTICES}


def test_a_preview_is_in_the_organisations_language_and_name(api):
    api.patch(
        "/v1/organization",
        json={"name": "Rides", "default_locale": "fr", "mail_sender_name": "Rides Lagos"},
    )

    shown = preview(api, type="receipt")

    assert shown["sender_name"] == "Rides Lagos"
    assert shown["subject"] == "[Test] Reçu de Rides : 12 500,00 ₦"
    assert "Bonjour Ada Obi," in shown["text"]
    assert "Ceci est un test." in shown["html"]


def test_a_preview_sends_nothing_and_is_listed_nowhere(api):
    preview(api, type="balance_low")

    assert api.get("/v1/customer-mails").json()["customer_mails"] == []


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({}, "type"),
        ({"type": "greeting"}, "type"),
        ({"type": "receipt", "locale": "french"}, "locale"),
        ({"type": "receipt", "locale": "x" * 300}, "locale"),
    ],
)
def test_a_preview_of_nothing_that_there_is_names_the_field(api, wanted, field):
    answer = api.get(PATH, params=wanted)

    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])
