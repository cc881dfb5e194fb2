"""Mails to people: other people's words in them are words, whatever they hold."""

from pathlib import Path

import pytest

from monigo.infra.db import Tenant
from monigo.infra.settings import Settings
from monigo.people.service import TEMPLATES
from support.mail import html_of, text_of
from support.people import mails_to, new_email

FOLDER = Path(__file__).parents[2] / "src" / "monigo" / "people" / "templates"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
EVIL = "Rides\r\nBcc: eve@example.com <script>alert('x')</script> & {{ 7 * 7 }}"
VALUES = {
    "public_url": "https://monigo.example",
    "email": EVIL,
    "full_name": EVIL,
    "organization": EVIL,
    "role": EVIL,
    "device": EVIL,
    "address": EVIL,
    "at": EVIL,
    "code": "135790",
    "token": "5c0e",
    "is_link": False,
    "change": EVIL,
    "mode": EVIL,
    "since": EVIL,
    "url": EVIL,
}


def test_each_mail_says_the_same_as_text_and_html():
    assert {path.stem for path in FOLDER.glob("*.html")} - {"layout"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_people_call_themselves_is_no_markup_and_no_header(name):
    mail = TEMPLATES.mail(name, "ada@example.com", VALUES)

    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    assert "<script>" not in mail.html
    assert "49" not in mail.text + mail.html


def test_an_organisations_name_adds_no_header_to_an_invitation(ada, backend):
    founded = ada.found("Rides <b>Bcc: eve@example.com</b>")["organization"]
    invited = new_email()

    ada.invite(founded["id"], invited)
    (mail,) = mails_to(backend, invited, Tenant(founded["id"], is_test=False))

    assert mail["Bcc"] is None
    assert mail.get_all("To") == [invited]
    assert "<b>Bcc" not in html_of(mail)
    assert "Rides <b>Bcc" in text_of(mail)


@pytest.mark.parametrize("sender", ["", "nobody", "a@example.com\nBcc: e@example.com", "x <y>"])
def test_a_sender_that_is_no_address_is_refused_at_the_start(sender):
    with pytest.raises(ValueError, match="mail_from"):
        Settings(mail_from=sender)


@pytest.mark.parametrize("sender", ["no-reply@localhost", "Monigo <billing@lagosrides.example>"])
def test_a_sender_with_or_without_a_name_is_taken(sender):
    assert Settings(mail_from=sender).mail_from == sender
