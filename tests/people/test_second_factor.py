"""A second factor: an authenticator app, recovery codes, and what asks for a fresh log-in."""

import pyotp
import pytest

from support.mail import code_in


def app_code(backend, secret, *, ahead=0):
    """What the app shows, or will show so many steps ahead."""
    return pyotp.TOTP(secret).at(backend.clock.now(), counter_offset=ahead)


@pytest.fixture
def guarded(ada, backend):
    """Somebody with an authenticator app: the person, its secret, and the recovery codes."""
    backend.clock.stand_still()
    secret = ada.post("/user/second-factor").json()["secret"]
    confirmed = ada.post("/user/second-factor/confirm", json={"code": app_code(backend, secret)})
    backend.clock.advance(seconds=60)
    return ada, secret, confirmed.json()["recovery_codes"]


def challenge(person):
    answer = person.login()
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    return answer.json()["challenge"]


def second(person, waiting, code):
    return person.ask("second-factor", challenge=waiting, code=code)


def test_an_app_counts_from_its_first_right_code_on(ada, backend):
    setup = ada.post("/user/second-factor")
    before = ada.login()
    wrong = ada.post("/user/second-factor/confirm", json={"code": "000000"})
    code = app_code(backend, setup.json()["secret"])

    confirmed = ada.post("/user/second-factor/confirm", json={"code": code})

    assert setup.json()["uri"].startswith("otpauth://totp/Monigo:")
    assert (before.status_code, wrong.status_code) == (200, 400)
    assert len(set(confirmed.json()["recovery_codes"])) == 10
    assert ada.get("/user/second-factor").json() == {"is_on": True, "recovery_codes_left": 10}
    assert ada.login().status_code == 403


def test_the_apps_code_signs_in(guarded, backend):
    ada, secret, _ = guarded

    answer = second(ada, challenge(ada), app_code(backend, secret))

    assert answer.status_code == 200
    assert answer.json()["user"] == ada.tokens["user"]


def test_a_code_counts_once(guarded, backend):
    ada, secret, recovery_codes = guarded
    code = app_code(backend, secret)
    second(ada, challenge(ada), code)
    first = second(ada, challenge(ada), recovery_codes[0].upper().replace("-", " "))

    again = second(ada, challenge(ada), code)
    recovered = second(ada, challenge(ada), recovery_codes[0])

    assert first.status_code == 200
    assert (again.status_code, again.json()["code"]) == (401, "wrong_second_factor")
    assert recovered.status_code == 401
    assert ada.get("/user/second-factor").json()["recovery_codes_left"] == 9


def test_the_code_before_a_used_one_counts_no_more(guarded, backend):
    ada, secret, _ = guarded
    second(ada, challenge(ada), app_code(backend, secret, ahead=1))

    assert second(ada, challenge(ada), app_code(backend, secret)).status_code == 401


@pytest.mark.parametrize(("ahead", "status"), [(-2, 401), (-1, 200), (1, 200), (2, 401)])
def test_clocks_may_differ_by_a_step(guarded, backend, ahead, status):
    ada, secret, _ = guarded
    backend.clock.advance(minutes=5)

    answer = second(ada, challenge(ada), app_code(backend, secret, ahead=ahead))

    assert answer.status_code == status


def test_a_log_in_waits_five_minutes(guarded, backend):
    ada, secret, _ = guarded
    waiting = challenge(ada)
    backend.clock.advance(minutes=5)

    assert second(ada, waiting, app_code(backend, secret)).status_code == 401


def test_a_log_in_waits_for_five_wrong_codes(guarded, backend):
    ada, secret, _ = guarded
    waiting = challenge(ada)

    wrong = [second(ada, waiting, "000000").status_code for _ in range(5)]

    assert wrong == [401] * 5
    assert second(ada, waiting, app_code(backend, secret)).status_code == 401


def test_a_challenge_counts_once(guarded, backend):
    ada, secret, recovery_codes = guarded
    waiting = challenge(ada)
    second(ada, waiting, app_code(backend, secret))

    assert second(ada, waiting, recovery_codes[0]).status_code == 401


def test_codes_cant_be_guessed_by_logging_in_again_and_again(guarded):
    ada, _, _ = guarded
    for _ in range(5):
        challenge(ada)

    assert ada.login().status_code == 429


def test_a_reset_password_never_skips_the_second_factor(guarded):
    ada, _, _ = guarded
    ada.ask("forgot-password", email=ada.email)
    code = code_in(ada.mails()[-1])
    token = ada.ask("verify-reset-code", email=ada.email, code=code).json()["reset_token"]
    ada.ask("reset-password", reset_token=token, new_password="quite another password")

    answer = ada.login(password="quite another password")

    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")


def test_a_reset_password_ends_log_ins_that_wait(guarded, backend):
    ada, secret, _ = guarded
    waiting = challenge(ada)
    ada.ask("forgot-password", email=ada.email)
    code = code_in(ada.mails()[-1])
    token = ada.ask("verify-reset-code", email=ada.email, code=code).json()["reset_token"]
    ada.ask("reset-password", reset_token=token, new_password="quite another password")

    assert second(ada, waiting, app_code(backend, secret)).status_code == 401


def test_it_is_switched_off_by_a_code_only(guarded, backend):
    ada, secret, _ = guarded

    wrong = ada.post("/user/second-factor/off", json={"code": "000000"})
    right = ada.post("/user/second-factor/off", json={"code": app_code(backend, secret)})

    assert (wrong.status_code, list(wrong.json()["details"])) == (400, ["code"])
    assert right.status_code == 200
    assert ada.login().status_code == 200


def test_no_code_is_guessed_in_an_open_session(guarded):
    ada, _, _ = guarded
    tried = [
        ada.post("/user/second-factor/off", json={"code": f"{n:06d}"}).status_code for n in range(6)
    ]

    assert tried == [400] * 5 + [429]


def test_new_recovery_codes_take_the_place_of_the_old(guarded, backend):
    ada, secret, old = guarded
    body = {"code": app_code(backend, secret)}

    new = ada.post("/user/second-factor/recovery-codes", json=body).json()["recovery_codes"]

    assert not set(old) & set(new)
    assert second(ada, challenge(ada), old[0]).status_code == 401
    assert second(ada, challenge(ada), new[0]).status_code == 200


def test_a_second_app_is_not_set_up_beside_the_first(guarded):
    ada, _, _ = guarded

    answer = ada.post("/user/second-factor")

    assert (answer.status_code, answer.json()["code"]) == (409, "second_factor_on")


def refreshed_much_later(ada, backend):
    backend.clock.advance(minutes=16)
    ada.keep(ada.refresh())


def test_an_old_log_in_is_asked_for_the_password_again(ada, backend):
    refreshed_much_later(ada, backend)
    before = ada.post("/user/second-factor")

    wrong = ada.ask("reauthenticate", password="not this one")
    still = ada.post("/user/second-factor")
    right = ada.ask("reauthenticate", password=ada.password)

    assert (before.status_code, before.json()["code"]) == (403, "reauthentication_required")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_credentials")
    assert (still.status_code, right.status_code) == (403, 200)
    assert ada.post("/user/second-factor").status_code == 201


def test_a_code_shows_who_one_is_as_well(guarded, backend):
    ada, secret, _ = guarded
    refreshed_much_later(ada, backend)

    answer = ada.ask("reauthenticate", code=app_code(backend, secret))

    assert answer.status_code == 200


def test_showing_who_one_is_is_bounded_like_a_log_in(ada):
    tried = [ada.ask("reauthenticate", password="not this one").status_code for _ in range(6)]

    assert tried == [401] * 5 + [429]


def test_nothing_shown_is_named(ada):
    answer = ada.ask("reauthenticate")

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["password"])


def test_the_apps_secret_lies_sealed(guarded, backend):
    _, secret, recovery_codes = guarded

    kept = str(backend.sql("SELECT ciphertext FROM authenticator_apps")) + str(
        backend.sql("SELECT code_hash FROM recovery_codes")
    )

    assert secret not in kept
    assert recovery_codes[0].replace("-", "") not in kept
