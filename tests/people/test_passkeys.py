"""Passkeys: made by an authenticator, asked for at log-in, and refused where they are not ours."""

import os

import cbor2
import pyotp
import pytest

from support.authenticator import SITE, Authenticator, add_passkey, bytes_of, offered, text_of
from support.people import Person


def options(person, path, **body):
    answer = person.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["options"]


def waiting(person):
    """The challenge of a log-in whose password was right."""
    answer = person.login()
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    return answer.json()["challenge"]


def to_sign(person, challenge):
    return options(person, "/auth/second-factor/options", challenge=challenge)


def second(person, challenge, signed):
    return person.ask("second-factor", challenge=challenge, passkey=signed)


@pytest.fixture
def phone():
    return Authenticator(SITE)


@pytest.fixture
def guarded(ada, phone):
    """Somebody whose phone is a passkey."""
    assert add_passkey(ada, phone).status_code == 201
    return ada


@pytest.fixture
def stranger(bola):
    """Somebody else with a passkey, and their authenticator."""
    token = Authenticator(SITE)
    assert add_passkey(bola, token).status_code == 201
    return bola, token


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def test_a_passkey_is_made_and_asked_for_at_log_in(ada, phone):
    added = add_passkey(ada, phone, name="  my phone ")
    challenge = waiting(ada)
    asked = to_sign(ada, challenge)

    answer = second(ada, challenge, phone.sign(asked))

    (listed,) = ada.get("/user/passkeys").json()["passkeys"]
    assert added.json()["passkey"]["name"] == "my phone"
    assert len(set(added.json()["recovery_codes"])) == 10
    assert added.json()["passkey"]["last_used_at"] is None
    assert [one["id"] for one in asked["allowCredentials"]] == [text_of(phone.credential_id)]
    assert answer.status_code == 200
    assert answer.json()["user"] == ada.tokens["user"]
    assert listed["last_used_at"] is not None
    assert ada.get("/user/second-factor").json() == {"is_on": True, "recovery_codes_left": 10}


def test_the_site_is_the_public_urls(ada):
    made, site = offered(ada), ada.backend.services.people.site

    assert (site.host, site.origin) == ("localhost", SITE)
    assert (made["rp"]["id"], made["rp"]["name"]) == ("localhost", "Monigo")
    assert made["user"]["name"] == ada.email
    assert len(bytes_of(made["challenge"])) == 32


def test_a_recovery_code_signs_in_who_has_lost_the_passkey(ada, phone):
    (code, *_) = add_passkey(ada, phone).json()["recovery_codes"]

    assert ada.ask("second-factor", challenge=waiting(ada), code=code).status_code == 200


def test_what_was_signed_once_signs_in_once(guarded, phone):
    challenge = waiting(guarded)
    signed = phone.sign(to_sign(guarded, challenge))
    first = second(guarded, challenge, signed)

    same, another = second(guarded, challenge, signed), second(guarded, waiting(guarded), signed)

    assert first.status_code == 200
    assert {refusal(same), refusal(another)} == {(401, "wrong_second_factor")}


def test_what_was_made_once_is_a_passkey_once(guarded, phone):
    made = phone.make(offered(guarded))
    body = {"name": "again", "credential": made}

    assert refusal(guarded.post("/user/passkeys", json=body)) == (409, "passkey_exists")


def test_what_another_session_was_offered_is_none_of_this_one(ada, bola, phone):
    made = phone.make(offered(bola))
    offered(ada)

    answer = ada.post("/user/passkeys", json={"name": "x", "credential": made})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["credential"])


def test_an_offer_counts_once(ada, phone):
    made = phone.make(offered(ada))
    body = {"name": "x", "credential": made}
    (removed,) = [ada.post("/user/passkeys", json=body).json()["passkey"]["id"]]
    ada.delete(f"/user/passkeys/{removed}")

    assert ada.post("/user/passkeys", json=body).status_code == 400


def test_an_offer_counts_for_five_minutes(ada, phone, backend):
    backend.clock.stand_still()
    made = phone.make(offered(ada))
    backend.clock.advance(minutes=5)

    assert ada.post("/user/passkeys", json={"name": "x", "credential": made}).status_code == 400


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"origin": "https://evil.example"},
        {"origin": f"{SITE}/"},
        {"origin": "http://localhost:8001"},
        {"host": "evil.example"},
    ],
)
def test_what_is_signed_elsewhere_makes_no_passkey_and_signs_nobody_in(ada, elsewhere):
    here = Authenticator(SITE)
    there = Authenticator(elsewhere.get("origin", SITE), host=elsewhere.get("host"))
    made = add_passkey(ada, there)
    add_passkey(ada, here)
    here.origin, here.host = there.origin, there.host
    challenge = waiting(ada)

    signed_in = second(ada, challenge, here.sign(to_sign(ada, challenge)))

    assert (made.status_code, list(made.json()["details"])) == (400, ["credential"])
    assert refusal(signed_in) == (401, "wrong_second_factor")


@pytest.mark.parametrize(
    "changed", [{"type": "webauthn.create"}, {"challenge": text_of(bytes(32))}, {"flags": 0}]
)
def test_what_was_signed_for_something_else_signs_nobody_in(guarded, phone, changed):
    challenge = waiting(guarded)

    answer = second(guarded, challenge, phone.sign(to_sign(guarded, challenge), **changed))

    assert refusal(answer) == (401, "wrong_second_factor")


def test_another_persons_passkey_signs_nobody_in(guarded, stranger):
    _, token = stranger
    challenge = waiting(guarded)

    answer = second(guarded, challenge, token.sign(to_sign(guarded, challenge)))

    assert refusal(answer) == (401, "wrong_second_factor")


def test_another_persons_signature_under_ones_own_name_signs_nobody_in(guarded, phone, stranger):
    _, token = stranger
    challenge = waiting(guarded)
    token.credential_id = phone.credential_id

    answer = second(guarded, challenge, token.sign(to_sign(guarded, challenge)))

    assert refusal(answer) == (401, "wrong_second_factor")


def test_a_credential_belongs_to_one_person(guarded, phone, bola):
    assert refusal(add_passkey(bola, phone)) == (409, "passkey_exists")
    assert guarded.get("/user/passkeys").json()["count"] == 1


@pytest.mark.parametrize(("count", "status"), [(0, 401), (1, 401), (2, 200)])
def test_a_count_that_does_not_grow_is_a_copys(guarded, phone, count, status):
    challenge = waiting(guarded)
    assert second(guarded, challenge, phone.sign(to_sign(guarded, challenge))).status_code == 200
    assert phone.sign_count == 1
    challenge = waiting(guarded)
    phone.sign_count, phone.counts = count, False

    assert second(guarded, challenge, phone.sign(to_sign(guarded, challenge))).status_code == status


def test_an_authenticator_that_does_not_count_is_taken(ada):
    token = Authenticator(SITE, counts=False)
    add_passkey(ada, token)

    answers = []
    for _ in range(2):
        challenge = waiting(ada)
        answers.append(second(ada, challenge, token.sign(to_sign(ada, challenge))).status_code)

    assert answers == [200, 200]


def test_a_log_in_waits_for_five_wrong_signatures(guarded, phone):
    challenge = waiting(guarded)
    asked = to_sign(guarded, challenge)
    for _ in range(5):
        second(guarded, challenge, phone.sign(asked, challenge="AAAA"))

    assert refusal(second(guarded, challenge, phone.sign(asked))) == (401, "wrong_second_factor")


@pytest.mark.parametrize("challenge", ["", "none", "0" * 64])
def test_who_waits_for_nothing_is_told_nothing_to_sign(person, challenge):
    answer = person.ask("second-factor/options", challenge=challenge)

    assert refusal(answer) == (401, "wrong_second_factor")


def test_nothing_shown_is_named(guarded):
    answer = guarded.ask("second-factor", challenge=waiting(guarded))

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["code"])


def test_a_second_one_is_added_by_who_has_shown_the_first(guarded, phone, backend):
    first = add_passkey(guarded, Authenticator(SITE), name="just after the first")
    backend.clock.advance(minutes=16)
    guarded.keep(guarded.refresh())
    guarded.ask("reauthenticate", password=guarded.password)
    by_password = guarded.post("/user/passkeys/options")
    signed = phone.sign(options(guarded, "/auth/reauthenticate/options"))
    shown = guarded.ask("reauthenticate", passkey=signed)

    second_one = add_passkey(guarded, Authenticator(SITE), name="later")

    assert (first.status_code, first.json()["recovery_codes"]) == (201, [])
    assert refusal(by_password) == (403, "reauthentication_required")
    assert (shown.status_code, second_one.status_code) == (200, 201)


def test_who_is_signed_in_shows_a_passkey_once_for_what_was_asked(guarded, phone):
    asked = options(guarded, "/auth/reauthenticate/options")
    signed = phone.sign(asked)

    answers = [guarded.ask("reauthenticate", passkey=signed).status_code for _ in range(2)]

    assert answers == [200, 401]


def test_an_app_is_not_set_up_beside_a_passkey_that_was_not_shown(guarded, backend):
    backend.clock.advance(minutes=16)
    guarded.keep(guarded.refresh())
    guarded.ask("reauthenticate", password=guarded.password)

    assert refusal(guarded.post("/user/second-factor")) == (403, "reauthentication_required")


def test_an_app_beside_a_passkey_leaves_the_recovery_codes(guarded, backend):
    backend.clock.stand_still()
    secret = guarded.post("/user/second-factor").json()["secret"]
    code = pyotp.TOTP(secret).at(backend.clock.now())

    confirmed = guarded.post("/user/second-factor/confirm", json={"code": code})

    assert confirmed.json() == {"recovery_codes": []}
    assert guarded.get("/user/second-factor").json()["recovery_codes_left"] == 10


def test_passkeys_are_listed_named_and_removed(guarded, phone):
    add_passkey(guarded, Authenticator(SITE), name="a key")
    first, second_one = guarded.get("/user/passkeys").json()["passkeys"]

    renamed = guarded.patch(f"/user/passkeys/{first['id']}", json={"name": " old phone "})
    removed = guarded.delete(f"/user/passkeys/{first['id']}")
    challenge = waiting(guarded)

    assert (first["name"], second_one["name"]) == ("my phone", "a key")
    assert renamed.json()["passkey"]["name"] == "old phone"
    assert removed.status_code == 200
    assert second(guarded, challenge, phone.sign(to_sign(guarded, challenge))).status_code == 401
    assert guarded.delete(f"/user/passkeys/{first['id']}").status_code == 404
    assert guarded.patch(f"/user/passkeys/{first['id']}", json={"name": "x"}).status_code == 404


def test_with_the_last_passkey_the_second_factor_is_off(guarded):
    (only,) = guarded.get("/user/passkeys").json()["passkeys"]
    guarded.delete(f"/user/passkeys/{only['id']}")

    assert guarded.get("/user/second-factor").json() == {"is_on": False, "recovery_codes_left": 0}
    assert guarded.login().status_code == 200


def test_nobody_touches_anothers_passkey(guarded, stranger):
    bola, _ = stranger
    (theirs,) = bola.get("/user/passkeys").json()["passkeys"]

    renamed = guarded.patch(f"/user/passkeys/{theirs['id']}", json={"name": "x"})

    assert (renamed.status_code, renamed.json()["code"]) == (404, "passkey_not_found")
    assert guarded.delete(f"/user/passkeys/{theirs['id']}").status_code == 404
    assert bola.get("/user/passkeys").json()["passkeys"] == [theirs]


def test_who_switches_the_second_factor_off_has_no_passkeys_left(ada, phone):
    (code, *_) = add_passkey(ada, phone).json()["recovery_codes"]
    answer = ada.post("/user/second-factor/off", json={"code": code})

    assert answer.status_code == 200
    assert ada.get("/user/passkeys").json()["count"] == 0
    assert ada.login().status_code == 200


def test_a_change_is_told_by_mail(guarded):
    (only,) = guarded.get("/user/passkeys").json()["passkeys"]
    guarded.delete(f"/user/passkeys/{only['id']}")

    told = [one for one in guarded.mails() if one["Subject"] == "Your second factor was changed"]

    assert ["passkey was added" in str(told[0]), "passkey was removed" in str(told[1])] == [
        True
    ] * 2


def test_a_person_has_ten_passkeys(guarded):
    for number in range(9):
        assert add_passkey(guarded, Authenticator(SITE), name=f"key {number}").status_code == 201

    refused = guarded.post("/user/passkeys/options")

    assert refusal(refused) == (409, "too_many_passkeys")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_a_name_that_is_not_taken_is_named(ada, phone, name):
    answer = add_passkey(ada, phone, name=name)

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["name"])


def test_an_old_log_in_makes_no_passkey(ada, backend):
    backend.clock.advance(minutes=16)
    ada.keep(ada.refresh())

    assert refusal(ada.post("/user/passkeys/options")) == (403, "reauthentication_required")


@pytest.mark.parametrize(
    "changed",
    [
        {"public_key": b""},
        {"public_key": b"\xff" * 77},
        {"public_key": cbor2.dumps({1: 2, 3: -7, -1: 1, -2: b"", -3: b""}) + bytes(20)},
        {"public_key": cbor2.dumps({1: 3, 3: -257, -1: b"\xff" * 2_000, -2: b"\1\0\1"})},
        {"statement": {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"x", "x5c": [b"x"]}}},
        {"statement": {"fmt": "tpm", "attStmt": {}}},
        {"statement": {"authData": b""}},
        {"statement": {"authData": b"\x00" * 37}},
        {"statement": {"authData": 7}},
    ],
)
def test_odd_keys_are_refused_and_no_fault(ada, phone, changed):
    answer = add_passkey(ada, phone, **changed)

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["credential"])


@pytest.mark.parametrize("seed", range(20))
def test_garbage_is_refused_and_no_fault(guarded, phone, seed):
    challenge = waiting(guarded) if seed == 0 else "0" * 64
    odd = ["", "=", "!", text_of(os.urandom(seed * 7)), text_of(b"{}"), "é", "A" * 6_000]
    credential = {"id": odd[seed % 7], "rawId": odd[seed % 5], "type": "public-key"}
    response = dict.fromkeys(
        ("clientDataJSON", "attestationObject", "authenticatorData", "signature"), odd[seed % 6]
    )
    body = {**credential, "response": response}
    if seed % 2:
        body |= {"id": text_of(phone.credential_id), "rawId": text_of(phone.credential_id)}
    offered(guarded)

    assert guarded.post("/user/passkeys", json={"name": "x", "credential": body}).status_code == 400
    assert second(guarded, challenge, body).status_code in {400, 401}


def test_keys_and_challenges_lie_where_only_people_see_them(guarded, backend):
    rows = backend.sql(
        "SELECT challenge FROM passkey_challenges WHERE session_id IN"
        " (SELECT id FROM sessions WHERE user_id = $1)",
        guarded.user_id,
    )

    assert rows == []  # An offer that was taken is gone.


def test_a_person_without_passkeys_is_offered_none(backend):
    with Person.signed_in(backend) as other:
        asked = options(other, "/auth/reauthenticate/options")

    assert asked.get("allowCredentials", []) == []
