"""Registering, signing in, staying signed in and signing out."""

import pytest

from support.mail import code_in
from support.people import PASSWORD, Person


@pytest.fixture
def person(backend):
    with Person(backend) as somebody:
        yield somebody
    backend.clock.reset()


@pytest.fixture
def ada(backend):
    with Person.signed_in(backend) as somebody:
        yield somebody
    backend.clock.reset()


def test_a_code_by_mail_makes_an_account_of_a_registration(person):
    registered = person.register()
    verified = person.verify()

    assert registered.status_code == 201
    assert registered.json()["user"] == {
        "id": verified.json()["user"]["id"],
        "email": person.email,
        "full_name": "Ada Obi",
        "email_verified": False,
    }
    body = verified.json()
    assert (verified.status_code, body["token_type"], body["expires_in"]) == (200, "Bearer", 900)
    assert (body["user"]["email_verified"], body["organizations"]) == (True, [])


def test_who_has_signed_in_can_read_their_account(ada):
    answer = ada.get("/user/profile")

    assert answer.json() == {"user": ada.tokens["user"]}
