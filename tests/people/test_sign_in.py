"""Signing in, staying signed in, and signing out."""

from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monigo import people
from monigo.infra import agenda
from monigo.infra.db import INSTALLATION
from support.people import Person

WRONG = {"error": "the e-mail or the password is wrong", "code": "wrong_credentials"}


def statuses(answers):
    return [answer.status_code for answer in answers]


def test_who_knows_the_password_signs_in(ada):
    answer = ada.login(email=f" {ada.email.upper()}")

    assert answer.status_code == 200
    assert answer.json()["user"] == ada.tokens["user"]


def test_a_wrong_password_and_an_unknown_email_are_refused_in_the_same_words(ada, person):
    wrong, unknown = ada.login(password="not this one"), person.login()

    assert (
        (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json()) == (401, WRONG)
    )


def test_who_has_not_verified_the_email_is_told_so_if_the_password_is_right(person):
    person.register()

    right, wrong = person.login(), person.login(password="not this one")

    assert (right.status_code, right.json()["code"]) == (403, "email_not_verified")
    assert (wrong.status_code, wrong.json()) == (401, WRONG)


@pytest.mark.parametrize("password", ["\x00" * 12, "\ud800" * 12, "é" * 64, " " * 12])
def test_odd_passwords_are_wrong_and_no_fault(ada, password):
    content = f'{{"email": "{ada.email}", "password": {password!a}}}'.replace("'", '"')

    assert ada.post("/auth/login", content=content).status_code in {400, 401}


def test_after_five_failures_an_address_waits_though_the_password_is_right(ada, backend):
    failed = statuses(ada.login(password="not this one") for _ in range(5))
    refused = ada.login()
    backend.clock.advance(minutes=15)

    assert failed == [401] * 5
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert ada.login().status_code == 200


def test_another_address_does_not_wait(ada, backend):
    for _ in range(5):
        ada.login(password="not this one")

    with Person(backend, ada.email) as elsewhere:
        assert elsewhere.login().status_code == 200


def test_many_tries_at_once_are_as_many_tries(ada):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ada.login(password="not this one"), range(8)))

    assert sorted(statuses(answers)) == [401] * 5 + [429] * 3


def test_an_address_that_fails_for_many_emails_waits(person, ada):
    tried = statuses(person.login(email=f"{n}-{person.email}") for n in range(20))

    assert tried == [401] * 20
    assert person.login(email=ada.email).status_code == 429


def plant_failures(backend, person, count):
    """Failures of an e-mail from everywhere."""
    backend.sql(
        "INSERT INTO sign_in_attempts (id, email_hash, address_hash, succeeded, attempted_at)"
        " SELECT gen_random_uuid(), $1, sha256(convert_to(n::text, 'UTF8')), false, $2"
        " FROM generate_series(1, $3) AS n",
        backend.services.people.vault.keyed_hash("e-mail of a log-in", person.email),
        backend.clock.now(),
        count,
    )


def test_who_signed_in_before_is_not_locked_out_by_others(ada, backend):
    assert ada.login().status_code == 200
    plant_failures(backend, ada, 50)

    with Person(backend, ada.email) as elsewhere:
        refused = elsewhere.login()

    assert ada.login().status_code == 200
    assert refused.status_code == 429
    assert 80_000 < int(refused.headers["Retry-After"]) <= 86_400


def test_forty_nine_failures_lock_nobody_out(ada, backend):
    plant_failures(backend, ada, 49)

    with Person(backend, ada.email) as elsewhere:
        assert elsewhere.login().status_code == 200


def test_a_log_in_on_a_new_device_is_told_by_mail(ada, backend):
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
    before = len(ada.mails())
    with Person(backend, ada.email, **{"User-Agent": firefox}) as elsewhere:
        elsewhere.keep(elsewhere.login())
        elsewhere.login()

    (mail,) = ada.mails()[before:]
    assert mail["Subject"] == "You signed in on a new device"
    assert "Firefox on Linux, from" in mail.get_body(("plain",)).get_content()


def test_a_refresh_token_is_changed_for_the_next(ada):
    first, second = ada.refresh(), None
    second = ada.refresh(first.json()["refresh_token"])

    assert statuses([first, second]) == [200, 200]
    tokens = {ada.tokens["refresh_token"], first.json()["refresh_token"]}
    assert second.json()["refresh_token"] not in tokens
    assert second.json()["user"] == ada.tokens["user"]


def test_a_spent_token_gets_the_same_successor_for_a_moment(ada, backend):
    first = ada.refresh().json()["refresh_token"]
    backend.clock.advance(seconds=29)

    assert ada.refresh().json()["refresh_token"] == first
    assert ada.refresh(first).status_code == 200


def test_two_refreshes_at_once_make_no_second_branch(ada):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ada.refresh(), range(4)))

    assert statuses(answers) == [200] * 4
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


def test_of_several_spent_in_a_moment_each_gets_its_own_successor(ada):
    first = ada.refresh().json()["refresh_token"]
    second = ada.refresh(first).json()["refresh_token"]

    assert ada.refresh().json()["refresh_token"] == first
    assert ada.refresh(first).json()["refresh_token"] == second


def test_a_spent_token_that_comes_late_ends_the_session(ada, backend):
    newer = ada.refresh().json()
    backend.clock.advance(seconds=31)

    late = ada.refresh()

    assert (late.status_code, late.json()["code"]) == (401, "invalid_refresh_token")
    assert ada.refresh(newer["refresh_token"]).status_code == 401
    assert ada.get("/user/profile").status_code == 401


@pytest.mark.parametrize("token", ["", "mrt_", "mrt_AAAA", "mrt_" + "A" * 70, "é" * 40])
def test_what_is_no_refresh_token_is_refused(ada, token):
    assert ada.refresh(token or " ").status_code == 401


def test_a_refresh_token_cant_be_made_of_another(ada, bola):
    own, other = ada.tokens["refresh_token"], bola.tokens["refresh_token"]
    spliced = own[:31] + other[31:]

    assert ada.refresh(spliced).status_code == 401
    assert statuses([ada.refresh(), bola.refresh()]) == [200, 200]


def test_a_session_ends_thirty_days_after_it_was_last_refreshed(ada, backend):
    backend.clock.advance(days=29)
    refreshed = ada.refresh()
    backend.clock.advance(days=29)
    again = ada.refresh(refreshed.json()["refresh_token"])
    backend.clock.advance(days=30)

    assert statuses([refreshed, again]) == [200, 200]
    assert ada.refresh(again.json()["refresh_token"]).status_code == 401


def test_who_signs_out_is_signed_out_at_once(ada):
    answer = ada.ask("logout", refresh_token=ada.tokens["refresh_token"])

    assert answer.json() == {"message": "signed out"}
    assert statuses([ada.get("/user/profile"), ada.refresh()]) == [401, 401]


def test_signing_out_of_nothing_is_no_fault(person):
    assert person.ask("logout", refresh_token="mrt_nothing").status_code == 200


def test_an_access_token_runs_out_after_a_quarter_of_an_hour(ada, backend):
    backend.clock.advance(minutes=14, seconds=50)
    before = ada.get("/user/profile")
    backend.clock.advance(seconds=11)

    assert statuses([before, ada.get("/user/profile")]) == [200, 401]


def forged(token, **changed):
    """The token with other claims, signed by somebody else's key."""
    claims = jwt.decode(token, options={"verify_signature": False})
    header = jwt.get_unverified_header(token)
    key = Ed25519PrivateKey.generate()
    return jwt.encode({**claims, **changed}, key, algorithm="EdDSA", headers=header)


def unsigned(token):
    claims = jwt.decode(token, options={"verify_signature": False})
    header = {"kid": jwt.get_unverified_header(token)["kid"]}
    return jwt.encode(claims, None, algorithm="none", headers=header)


def of_no_key(token):
    claims = jwt.decode(token, options={"verify_signature": False})
    header = {"kid": "0197b3c0-0000-7000-8000-000000000000"}
    return jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=header)


@pytest.mark.parametrize(
    "change",
    [forged, unsigned, of_no_key, lambda token: token[:-4] + "AAAA", lambda _: "a.b.c"],
)
def test_a_token_that_is_not_ours_is_refused(ada, change):
    token = change(ada.tokens["access_token"])

    answer = ada.get("/user/profile", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_a_token_says_who_and_where_and_nothing_more(ada):
    claims = jwt.decode(ada.tokens["access_token"], options={"verify_signature": False})

    assert set(claims) == {"sub", "sid", "iat", "exp"}
    assert claims["sub"] == ada.user_id


def test_an_access_token_opens_nothing_under_v1(ada, backend):
    answer = ada.http.get(f"{backend.url}/v1/customers")

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credential")


def test_a_person_sees_their_devices_and_ends_them(ada, backend):
    with Person(backend, ada.email, **{"User-Agent": "Safari/605 iPhone"}) as phone:
        phone.keep(phone.login())
        listed = ada.get("/sessions").json()
        (other,) = [one for one in listed["sessions"] if not one["is_current"]]

        ended = ada.delete(f"/sessions/{other['id']}")

        assert listed["count"] == 2
        assert (other["device"], other["address"]) == ("Safari on iPhone", phone.address)
        assert ended.json() == {"message": "session ended"}
        assert phone.get("/user/profile").status_code == 401
        assert ada.delete(f"/sessions/{other['id']}").status_code == 404


def test_nobody_ends_anothers_session(ada, bola):
    (theirs,) = bola.get("/sessions").json()["sessions"]

    assert ada.delete(f"/sessions/{theirs['id']}").status_code == 404
    assert bola.get("/user/profile").status_code == 200


def test_all_other_devices_are_signed_out_at_once(ada, backend):
    with Person(backend, ada.email) as phone:
        phone.keep(phone.login())

        answer = ada.post("/sessions/revoke-all", json={"current_refresh_token": "any"})

        assert answer.json() == {"message": "1 other sessions ended"}
        assert statuses([phone.get("/user/profile"), ada.get("/user/profile")]) == [401, 200]


def test_what_came_up_long_ago_is_forgotten(ada, backend):
    ada.login(password="not this one")
    backend.clock.advance(days=121)
    ada.login()

    task, database = people.sign_in.FORGET, backend.services.database
    backend.run(agenda.work_off(database, task, INSTALLATION))

    (row,) = backend.sql(
        "SELECT (SELECT count(*) FROM sessions WHERE user_id = $1) AS sessions,"
        " (SELECT count(*) FROM email_codes WHERE email = $2) AS codes,"
        " (SELECT count(*) FROM registrations WHERE email = $2) AS registrations,"
        " (SELECT count(*) FROM sign_in_attempts WHERE email_hash = $3) AS attempts",
        ada.user_id,
        ada.email,
        backend.services.people.vault.keyed_hash("e-mail of a log-in", ada.email),
    )
    assert dict(row) == {"sessions": 1, "codes": 0, "registrations": 0, "attempts": 1}
