"""What somebody tries who wants another's account, or wants to keep them out of it."""

import asyncio

import pytest

from support.mail import code_in, token_in
from support.people import Person

WRONG_CODE = (400, "invalid_code")


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.fixture
def stranger(backend, person):
    """Somebody who registers another's e-mail, from elsewhere, with a password of their own."""
    with Person(backend, person.email) as somebody:
        somebody.password = "what a stranger chose"
        yield somebody


def test_a_strangers_code_makes_no_account_for_who_has_registered_too(person, stranger):
    person.register()
    stranger.register()
    strangers_code = code_in(person.mails()[-1])

    refused = person.verify(strangers_code)
    person.ask("resend-verification", email=person.email)
    verified = person.verify()

    assert refusal(refused) == WRONG_CODE
    assert verified.status_code == 200
    assert (person.login().status_code, stranger.login().status_code) == (200, 401)


def test_who_asks_for_another_code_gets_one_of_the_own_registration(person, stranger):
    person.register()
    stranger.register()
    person.ask("resend-verification", email=person.email)

    assert person.verify().status_code == 200
    assert person.login().status_code == 200


def test_a_stranger_has_no_code_of_theirs_sent_instead(person, stranger):
    person.register()
    stranger.register()
    stranger.ask("resend-verification", email=person.email)

    assert refusal(person.verify()) == WRONG_CODE


def test_who_was_registered_by_a_stranger_resets_the_password_to_their_own(person, stranger):
    """Who never registered, but types the code that came: the password is the stranger's."""
    stranger.register()
    assert person.verify().status_code == 200
    stranger.keep(stranger.login())
    person.ask("forgot-password", email=person.email)
    code = code_in(person.mails()[-1])
    token = person.ask("verify-reset-code", email=person.email, code=code).json()["reset_token"]
    person.ask("reset-password", reset_token=token, new_password=person.password)

    assert stranger.get("/user/profile").status_code == 401
    assert (person.login().status_code, stranger.login().status_code) == (200, 401)


def test_a_registration_that_was_verified_by_another_ends_nothing_of_it(ada, person):
    assert refusal(person.register(email=ada.email)) == (409, "email_taken")
    assert ada.get("/user/profile").status_code == 200


def test_nobody_ends_a_mailed_link_by_guessing(person, backend):
    for _ in range(4):
        person.register()
        code = code_in(person.mails()[-1])
        for _ in range(5):
            person.verify(wrong(code))
    person.register()
    token = token_in(person.mails()[-1])
    with Person(backend, person.email) as stranger:
        guesses = [refusal(stranger.verify("0" * 64)) for _ in range(6)]

    assert guesses == [WRONG_CODE] * 6
    assert person.verify(token).status_code == 200


def test_codes_of_both_purposes_are_counted_together(person, ada):
    answers = [person.ask("forgot-password", email=ada.email) for _ in range(3)]
    answers += [person.ask("resend-verification", email=ada.email) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    assert len(ada.mails()) == 4  # With the one that the account began with.


def test_asking_again_and_again_gives_no_more_than_twenty_tries_a_day(ada, backend):
    """Five codes an hour with five tries each would be 600 a day."""
    tried = 0
    for _ in range(6):
        ada.ask("forgot-password", email=ada.email)
        text = ada.mails()[-1].get_body(("plain",)).get_content()
        if "token=" in text:
            break
        code = code_in(ada.mails()[-1])
        for _ in range(5):
            ada.ask("verify-reset-code", email=ada.email, code=wrong(code))
            tried += 1
        backend.clock.advance(hours=1)

    assert tried == 20


def test_who_is_told_to_come_again_later_has_not_failed(ada, backend, monkeypatch):
    passwords = backend.services.people.passwords
    with monkeypatch.context() as full:
        full.setattr(passwords, "waiting", 50)
        refused = [refusal(ada.login()) for _ in range(6)]

    assert refused == [(429, "too_many_logins")] * 6
    assert ada.login().status_code == 200


def test_no_password_is_hashed_for_a_registration_that_gets_no_code(person, backend):
    for _ in range(5):
        person.register()
    passwords = backend.services.people.passwords
    before = passwords.count

    refused = refusal(person.register())

    assert refused == (429, "too_many_codes")
    assert passwords.count == before


def test_an_email_like_an_address_waits_for_nobody(ada, backend):
    """Of two who lock each other's names in turn, none would come first."""
    with Person(backend) as one, Person(backend) as other:
        one.email, other.email = f"address {other.address}", f"address {one.address}"

        async def both():
            return await asyncio.gather(
                *(asyncio.to_thread(each.login) for each in (one, other) * 2)
            )

        answers = asyncio.run(both())

    assert {answer.status_code for answer in answers} == {401}
    assert ada.login().status_code == 200


def test_a_log_in_begins_a_session_of_its_own_whatever_was_sent_along(ada, bola, backend):
    cookie = {"monigo_refresh": bola.tokens["refresh_token"]}
    with Person(backend, ada.email, **{"X-Monigo-Client": "web", "Origin": backend.url}) as browser:
        browser.http.cookies.update(cookie)
        browser.keep(browser.login())
        own = browser.get("/sessions").json()["sessions"]

    assert browser.tokens["user"]["id"] == ada.user_id
    assert [one["is_current"] for one in own].count(True) == 1
    assert len(bola.get("/sessions").json()["sessions"]) == 1
    assert bola.refresh().status_code == 200


def test_a_script_gets_no_refresh_token_by_leaving_the_header_out(ada, backend):
    with Person(backend, ada.email, **{"X-Monigo-Client": "web", "Origin": backend.url}) as browser:
        browser.keep(browser.login())
        del browser.http.headers["X-Monigo-Client"]

        answer = browser.ask("refresh-token")
        out = browser.ask("logout")

    assert answer.json()["refresh_token"] == ""
    assert answer.headers["set-cookie"].startswith("monigo_refresh=mrt_")
    assert out.headers["set-cookie"].startswith('monigo_refresh="";')


@pytest.mark.parametrize("path", ["refresh-token", "logout"])
def test_a_token_in_a_body_takes_no_cookie_along(ada, bola, backend, path):
    """Who has somebody else's browser send their own token gets nothing of the cookie's owner."""
    with Person(backend, ada.email, **{"X-Monigo-Client": "web", "Origin": backend.url}) as browser:
        browser.keep(browser.login())

        answer = browser.ask(path, refresh_token=bola.tokens["refresh_token"])

        assert answer.status_code == 200
        assert browser.get("/user/profile").status_code == 200
        assert answer.json().get("user", bola.tokens["user"]) == bola.tokens["user"]


@pytest.mark.parametrize(
    "more", [{"email_verified": True}, {"is_verified": True}, {"id": "x"}, {"role": "owner"}]
)
def test_what_a_body_says_beside_makes_nobody_more(person, more):
    answer = person.register(**more)

    assert answer.json()["user"]["email_verified"] is False
    assert refusal(person.login(**more)) == (403, "email_not_verified")
    verified = person.ask("verify-email", email=person.email, code="000000", **more)
    assert refusal(verified) == WRONG_CODE


def test_a_profile_takes_a_name_and_nothing_else(ada, bola):
    body = {"full_name": "Ada", "email": bola.email, "id": bola.user_id, "email_verified": False}
    changed = ada.put("/user/profile", json={**body, "password_hash": "x"}).json()["user"]

    assert changed == {**ada.tokens["user"], "full_name": "Ada"}
    assert ada.login().status_code == 200


def test_a_reset_keeps_passkeys_and_app_and_ends_what_was_offered(ada, backend):
    ada.post("/user/passkeys/options")
    ada.ask("forgot-password", email=ada.email)
    code = code_in(ada.mails()[-1])
    token = ada.ask("verify-reset-code", email=ada.email, code=code).json()["reset_token"]
    ada.ask("reset-password", reset_token=token, new_password="quite another password")

    open_sessions = backend.sql(
        "SELECT 1 FROM sessions WHERE user_id = $1 AND ended_at IS NULL", ada.user_id
    )
    assert open_sessions == []
    assert ada.post("/user/passkeys/options").status_code == 401


def test_a_reset_token_is_used_once_however_many_try_at_once(ada):
    ada.ask("forgot-password", email=ada.email)
    code = code_in(ada.mails()[-1])
    token = ada.ask("verify-reset-code", email=ada.email, code=code).json()["reset_token"]

    def reset(number):
        return ada.ask("reset-password", reset_token=token, new_password=f"password no. {number}")

    async def all_at_once():
        return await asyncio.gather(*(asyncio.to_thread(reset, number) for number in range(4)))

    statuses = sorted(answer.status_code for answer in asyncio.run(all_at_once()))

    assert statuses == [200, 400, 400, 400]
