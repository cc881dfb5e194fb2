"""Registering, verifying an e-mail, forgetting and resetting a password."""

import pytest

from support.mail import code_in, html_of, text_of, token_in
from support.people import PASSWORD, Person

WRONG_CODE = ("invalid_code", 400)


def refusal(answer):
    return answer.json()["code"], answer.status_code


def wrong(code):
    """Six digits that are not these."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_code_by_mail_makes_an_account_of_a_registration(person):
    registered = person.register(full_name="  Ada Obi ", email=f" {person.email.upper()} ")
    verified = person.verify()

    body = verified.json()
    user = {"id": body["user"]["id"], "email": person.email, "full_name": "Ada Obi"}
    assert registered.status_code == 201
    assert registered.json()["user"] == {**user, "email_verified": False}
    assert (verified.status_code, body["token_type"], body["expires_in"]) == (200, "Bearer", 900)
    assert (body["user"], body["organizations"]) == ({**user, "email_verified": True}, [])


def test_the_mail_tells_the_code_in_text_and_html(person):
    person.register()

    (mail,) = person.mails()
    assert code_in(mail) in html_of(mail)
    assert mail["Subject"] == f"{code_in(mail)} is your code"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"email": "ada"}, "email"),
        ({"email": "ada@localhost"}, "email"),
        ({"email": "ada obi@example.com"}, "email"),
        ({"email": "ada@exämple.com"}, "email"),
        ({"email": "a..b@example.com"}, "email"),
        ({"email": "ada@example.com\nBcc: eve@example.com"}, "email"),
        ({"full_name": "  "}, "full_name"),
        ({"full_name": "Ada\nObi"}, "full_name"),
        ({"full_name": "a" * 201}, "full_name"),
        ({"password": "too short"}, "password"),
        ({"password": "a" * 129}, "password"),
        ({"password": "qwertyuiop"}, "password"),
        ({"password": "Manchester"}, "password"),
        ({"password": "aaaaaaaaaaaa"}, "password"),
    ],
)
def test_what_is_not_taken_is_named(person, changed, field):
    answer = person.register(**changed)

    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])


def test_a_password_is_not_the_email(person):
    answer = person.register(password=person.email.upper())

    assert answer.json()["details"] == {"password": "must not be the e-mail"}


def test_all_faults_are_told_at_once(person):
    answer = person.register(email="a", full_name="", password="")

    assert set(answer.json()["details"]) == {"email", "full_name", "password"}


def test_an_email_that_is_somebodys_is_not_registered_again(ada, person):
    assert refusal(person.register(email=ada.email)) == ("email_taken", 409)


def test_a_code_activates_the_password_it_was_made_with(backend, person):
    with Person(backend, person.email) as stranger:
        stranger.register(password="what a stranger chose")
        person.register()

    person.verify()

    assert person.login().status_code == 200
    assert person.login(password="what a stranger chose").status_code == 401


def test_a_new_code_ends_the_one_before(person):
    person.register()
    first = code_in(person.mails()[-1])
    person.ask("resend-verification", email=person.email)
    second = code_in(person.mails()[-1])

    assert refusal(person.verify(first)) == WRONG_CODE
    assert person.verify(second).status_code == 200


def test_a_code_counts_once(person):
    person.register()
    code = code_in(person.mails()[-1])
    person.verify(code)

    assert refusal(person.verify(code)) == WRONG_CODE


def test_a_code_counts_for_fifteen_minutes(person, backend):
    person.register()
    backend.clock.advance(minutes=15)

    assert refusal(person.verify()) == WRONG_CODE


def test_after_five_wrong_tries_a_code_counts_no_more(person):
    person.register()
    code = code_in(person.mails()[-1])

    tries = [refusal(person.verify(wrong(code))) for _ in range(5)]

    assert tries == [WRONG_CODE] * 5
    assert refusal(person.verify(code)) == WRONG_CODE


def test_an_email_gets_five_codes_an_hour(person, backend):
    answers = [person.register().status_code for _ in range(5)]
    refused = person.register()
    person.ask("resend-verification", email=person.email)
    person.ask("forgot-password", email=person.email)
    mailed = len(person.mails())

    backend.clock.advance(hours=1)

    assert answers == [201] * 5
    assert refusal(refused) == ("too_many_codes", 429)
    assert refused.headers["Retry-After"] == "3600"
    assert mailed == 5
    assert person.register().status_code == 201


def test_after_twenty_wrong_tries_only_a_link_counts(person):
    for _ in range(4):
        person.register()
        code = code_in(person.mails()[-1])
        for _ in range(5):
            person.verify(wrong(code))
    person.register()
    (mail, token) = (person.mails()[-1], token_in(person.mails()[-1]))

    guessed = person.verify("123456")
    verified = person.verify(token)

    assert "/app/verify-email?email=" in text_of(mail)
    assert (refusal(guessed), verified.status_code) == (WRONG_CODE, 200)


def test_an_open_code_counts_no_more_after_twenty_wrong_tries(person):
    person.register()
    code = code_in(person.mails()[-1])
    person.backend.sql(
        "INSERT INTO email_codes (id, email, purpose, is_link, code_hash, address_hash,"
        " failed_attempts, created_at, expires_at, ended_at)"
        " SELECT gen_random_uuid(), email, purpose, is_link, code_hash, address_hash, 5,"
        " created_at, expires_at, created_at FROM email_codes, generate_series(1, 4)"
        " WHERE email = $1",
        person.email,
    )

    assert refusal(person.verify(code)) == WRONG_CODE


def test_resending_tells_nobody_what_is_registered(ada, person):
    answers = [person.ask("resend-verification", email=one.email) for one in (ada, person)]

    assert {(answer.status_code, answer.text) for answer in answers} == {
        (200, '{"message":"if the e-mail waits for one, a code was mailed to it"}')
    }
    assert [one.mails()[-1]["Subject"] for one in (ada, person)] == ["Nothing to verify"] * 2


def test_a_code_of_nobody_verifies_nothing(person):
    person.ask("resend-verification", email=person.email)

    assert [refusal(person.verify(f"{n:06d}")) for n in range(5)] == [WRONG_CODE] * 5


def reset(person, password):
    """Forget the password, and set another by the code that was mailed; the last answer."""
    person.ask("forgot-password", email=person.email)
    code = code_in(person.mails()[-1])
    token = person.ask("verify-reset-code", email=person.email, code=code).json()["reset_token"]
    return person.ask("reset-password", reset_token=token, new_password=password)


def test_a_forgotten_password_is_reset_by_a_code(ada):
    answer = reset(ada, "quite another password")

    assert answer.status_code == 200
    assert ada.mails()[-1]["Subject"] == "Your password was changed"
    assert ada.login().status_code == 401
    assert ada.login(password="quite another password").status_code == 200


def test_a_reset_password_signs_out_everywhere(ada):
    reset(ada, "quite another password")

    assert ada.get("/user/profile").status_code == 401
    assert ada.refresh().status_code == 401


def test_a_reset_ends_all_codes(ada):
    ada.ask("forgot-password", email=ada.email)
    code = code_in(ada.mails()[-1])
    other = ada.ask("verify-reset-code", email=ada.email, code=code).json()["reset_token"]
    reset(ada, "quite another password")

    answer = ada.ask("reset-password", reset_token=other, new_password="a third password")

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["reset_token"])


def test_a_reset_token_counts_once_and_for_ten_minutes(ada, backend):
    ada.ask("forgot-password", email=ada.email)
    code = code_in(ada.mails()[-1])
    token = ada.ask("verify-reset-code", email=ada.email, code=code).json()["reset_token"]
    backend.clock.advance(minutes=10)

    late = ada.ask("reset-password", reset_token=token, new_password="quite another password")

    assert list(late.json()["details"]) == ["reset_token"]


def test_a_password_that_is_not_taken_leaves_the_token(ada):
    ada.ask("forgot-password", email=ada.email)
    code = code_in(ada.mails()[-1])
    token = ada.ask("verify-reset-code", email=ada.email, code=code).json()["reset_token"]

    refused = ada.ask("reset-password", reset_token=token, new_password="short")
    taken = ada.ask("reset-password", reset_token=token, new_password="quite another password")

    assert list(refused.json()["details"]) == ["new_password"]
    assert taken.status_code == 200


def test_a_wrong_reset_code_and_one_of_nobody_are_refused_alike(ada, person):
    ada.ask("forgot-password", email=ada.email)
    code = wrong(code_in(ada.mails()[-1]))
    person.ask("forgot-password", email=person.email)

    answers = [person.ask("verify-reset-code", email=one.email, code=code) for one in (ada, person)]

    assert {(answer.text, answer.status_code) for answer in answers} == {(answers[0].text, 400)}


def test_a_code_is_for_one_purpose_only(ada):
    ada.ask("forgot-password", email=ada.email)

    assert refusal(ada.verify(code_in(ada.mails()[-1]))) == WRONG_CODE


@pytest.mark.parametrize("path", ["forgot-password", "resend-verification"])
def test_an_email_that_can_be_nobodys_is_named(person, path):
    assert person.ask(path, email="nobody").json()["details"].keys() == {"email"}


def test_one_address_has_fifty_mails_an_hour_sent(backend, person):
    for number in range(51):
        person.ask("forgot-password", email=f"victim-{number}-{person.email}")

    (row,) = backend.sql(
        "SELECT count(*) AS codes FROM email_codes WHERE email LIKE 'victim-%' || $1",
        person.email,
    )
    assert row["codes"] == 50


def test_a_person_is_renamed(ada):
    answer = ada.put("/user/profile", json={"full_name": " Ada Lovelace "})

    assert answer.json()["user"]["full_name"] == "Ada Lovelace"
    assert ada.get("/user/profile").json() == answer.json()


def test_nothing_secret_lies_open_in_the_database(backend, person):
    person.register()
    code = code_in(person.mails()[-1])
    verified = person.verify(code).json()

    rows = [
        str(dict(row))
        for table in ("users", "registrations", "email_codes", "sessions", "mails")
        for row in backend.sql(f"SELECT * FROM {table}")
    ]

    kept = "".join(rows)
    assert all(word not in kept for word in (PASSWORD, code, verified["refresh_token"]))
