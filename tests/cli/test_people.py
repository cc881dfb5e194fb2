"""The demo's owner, and the commands by which an operator makes accounts and sets passwords."""

import json
import stat

import httpx
import pytest

from support.process import Program

PASSWORD = "four words are enough"
KEYS = [
    "base_url",
    "org_id",
    "test_api_key",
    "live_api_key",
    "email",
    "password",
    "database_url",
    "simulator_url",
]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    with Program(tmp_path_factory.mktemp("demo") / "data", demo_data="true") as started:
        yield started


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A program without the demo."""
    with Program(tmp_path_factory.mktemp("plain") / "data") as started:
        yield started


def log_in(program, email, password):
    body = {"email": email, "password": password}
    return httpx.post(f"{program.url}/api/v1/auth/login", json=body, timeout=30)


def asked(program, path, token):
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{program.url}/api/v1/{path}", headers=headers, timeout=30)


def test_the_demos_owner_logs_in_as_soon_as_it_is_ready(program):
    kept = program.credentials()

    answer = log_in(program, kept["email"], kept["password"])
    token = answer.json()["access_token"]
    seen = asked(program, f"customers?org_id={kept['org_id']}&is_test=true", token)

    assert answer.status_code == 200, answer.text
    (organization,) = answer.json()["organizations"]
    assert (organization["id"], organization["role"]) == (kept["org_id"], "owner")
    assert seen.json()["count"] == 7


def test_the_file_has_these_entries_and_only_its_owner_reads_it(program):
    path = program.data_dir / "credentials.json"

    assert list(program.credentials()) == KEYS
    assert program.credentials()["simulator_url"].startswith("http://127.0.0.1:")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_password_is_in_what_the_program_says(program):
    assert program.credentials()["password"] not in program.log.read_text()
    assert program.credentials()["email"] in program.log.read_text()


def test_without_the_demo_there_is_no_owner(plain):
    kept = plain.credentials()

    assert (kept["email"], kept["password"]) == (None, None)


def test_what_the_owner_logs_in_with_stays_over_a_restart_and_is_made_anew_when_lost(tmp_path):
    with Program(tmp_path / "data", demo_data="true") as program:
        first = program.credentials()
        program.kill_alone()
        program.start()
        second = program.credentials()
        program.kill_alone()
        (program.data_dir / "credentials.json").unlink()
        program.start()
        third = program.credentials()
        old = log_in(program, first["email"], first["password"])
        new = log_in(program, third["email"], third["password"])

    addresses = {"base_url": "", "simulator_url": ""}
    assert {**second, **addresses} == {**first, **addresses}
    assert third["org_id"] == first["org_id"]
    assert (old.status_code, new.status_code) == (401, 200)


def test_a_user_is_made_verified_with_a_password_that_is_shown_once(plain):
    made = json.loads(plain.run("user", "create", "Bola@Example.com", "--name", "Bola", "--json"))

    answer = log_in(plain, "bola@example.com", made["password"])

    assert (made["email"], made["full_name"]) == ("bola@example.com", "Bola")
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["email_verified"] is True
    assert answer.json()["organizations"] == []
    assert made["password"] not in plain.log.read_text()


def test_a_password_can_come_from_standard_input_and_is_not_shown_then(plain):
    code, said, _ = plain.run_with_input(
        PASSWORD, "user", "create", "chidi@example.com", "--password-stdin", "--json"
    )

    answer = log_in(plain, "chidi@example.com", PASSWORD)

    assert (code, "password" in json.loads(said)) == (0, False)
    assert answer.status_code == 200, answer.text


def test_a_reset_password_ends_the_sessions_and_replaces_the_old_one(plain):
    made = json.loads(plain.run("user", "create", "dayo@example.com", "--json"))
    token = log_in(plain, made["email"], made["password"]).json()["access_token"]
    before = asked(plain, "user/profile", token)

    reset = json.loads(plain.run("user", "reset-password", "dayo@example.com", "--json"))

    assert before.status_code == 200
    assert asked(plain, "user/profile", token).status_code == 401
    assert log_in(plain, made["email"], made["password"]).status_code == 401
    assert log_in(plain, made["email"], reset["password"]).status_code == 200


def test_an_admin_is_made_of_who_has_an_account_and_of_who_has_none(plain):
    plain.run("user", "create", "efe@example.com", "--json")

    known = json.loads(plain.run("admin", "create", "efe@example.com", "--json"))
    new = json.loads(plain.run("admin", "create", "funmi@example.com", "--json"))
    again = json.loads(plain.run("admin", "create", "funmi@example.com", "--json"))
    listed = {one["email"]: one for one in json.loads(plain.run("user", "list", "--json"))}

    assert "password" not in known
    assert "password" not in again
    assert log_in(plain, "funmi@example.com", new["password"]).status_code == 200
    assert listed["efe@example.com"]["is_platform_admin"] is True
    assert listed["funmi@example.com"]["is_platform_admin"] is True


def test_users_are_listed_oldest_first_without_anything_secret(plain):
    plain.run("user", "create", "gozi@example.com", "--json")
    plain.run("user", "create", "halima@example.com", "--json")

    listed = json.loads(plain.run("user", "list", "--json"))
    told = plain.run("user", "list")

    assert [one["email"] for one in listed][-2:] == ["gozi@example.com", "halima@example.com"]
    assert {tuple(one) for one in listed} == {
        ("id", "email", "full_name", "created_at", "is_platform_admin")
    }
    assert "halima@example.com" in told.splitlines()[-1]
    assert "argon2" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "create", "nobody"), "email must be an e-mail address"),
        (("user", "create", "twice@example.com"), "an account with this e-mail exists"),
        (("user", "reset-password", "nobody@example.com"), "user not found"),
        (("admin", "create", "nobody"), "email must be an e-mail address"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(plain, words, said):
    plain.run_with_input("", "user", "create", "twice@example.com")

    code, _, errors = plain.run_with_input("", *words)

    assert code == 1
    assert said in errors.splitlines()[-1]
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short\n", "password must have 10 to 128 characters"),
        ("password123\n", "password is one of the commonest passwords"),
        ("\n", "--password-stdin finds no password"),
    ],
)
def test_a_weak_password_is_refused_and_not_repeated(plain, password, said):
    code, _, errors = plain.run_with_input(
        password, "user", "create", "ike@example.com", "--password-stdin"
    )

    assert code == 1
    assert said in errors
    assert not password.strip() or password.strip() not in errors
