"""The keys that sign access tokens: replaced in time, without anybody being signed out by it."""

import jwt
import pytest

from monigo.infra.crypto import Vault
from monigo.people import AccessTokens, Claims


@pytest.fixture(autouse=True)
def _no_keys(backend):
    """Keys of before are put away, and this process forgets what it knows of them."""
    known = [
        dict(row) for row in backend.sql("SELECT id, ciphertext, created_at FROM signing_keys")
    ]
    backend.sql("DELETE FROM signing_keys")
    yield
    backend.sql("DELETE FROM signing_keys")
    for key in known:
        backend.sql(
            "INSERT INTO signing_keys (id, ciphertext, created_at) VALUES ($1, $2, $3)",
            *key.values(),
        )


@pytest.fixture
def process(backend):
    """A process that has just started."""

    def start(vault=None):
        services = backend.services
        return AccessTokens(services.database, vault or services.people.vault)

    return start


@pytest.fixture
def claims(ada):
    token = jwt.decode(ada.tokens["access_token"], options={"verify_signature": False})
    return Claims(token["sub"], token["sid"])


@pytest.fixture
def sign(backend, claims):
    return lambda tokens: backend.run(tokens.sign(claims, backend.clock.now()))


@pytest.fixture
def read(backend):
    return lambda tokens, token: backend.run(tokens.read(token, backend.clock.now()))


def key_of(token):
    return jwt.get_unverified_header(token)["kid"]


def keys(backend):
    return [
        str(row["id"]) for row in backend.sql("SELECT id FROM signing_keys ORDER BY created_at")
    ]


def look_again(tokens, seconds):
    """Let so much time pass for what a process knows."""
    tokens._known_at -= seconds  # noqa: SLF001 - real time would be slow


def test_processes_sign_by_one_key_and_know_each_others_tokens(process, sign, read, backend):
    one, other = process(), process()
    tokens = [sign(one), sign(other)]

    assert [key_of(token) for token in tokens] == keys(backend) * 2
    assert all(read(each, token) is not None for each in (one, other) for token in tokens)


def test_a_new_key_signs_once_all_processes_know_it(process, sign, backend):
    (first,) = [key_of(sign(process()))]
    backend.clock.advance(days=30)
    on_the_day = key_of(sign(process()))
    (_, second) = keys(backend)
    backend.clock.advance(minutes=9)
    announced = key_of(sign(process()))
    backend.clock.advance(minutes=2)

    assert (on_the_day, announced) == (first, first)
    assert key_of(sign(process())) == second


def test_tokens_of_both_keys_count_while_one_follows_the_other(process, sign, read, backend):
    slow = process()
    sign(slow)
    backend.clock.advance(days=30)
    sign(process())
    backend.clock.advance(minutes=11)
    by_new, by_old = sign(process()), sign(slow)
    look_again(slow, 6)

    assert key_of(by_new) != key_of(by_old)
    assert None not in [
        read(each, token) for each in (slow, process()) for token in (by_new, by_old)
    ]


def test_the_old_key_is_gone_when_its_tokens_are(process, sign, read, backend):
    slow = process()
    token = sign(slow)
    (first,) = keys(backend)
    backend.clock.advance(days=30)
    sign(process())
    backend.clock.advance(minutes=36)
    sign(process())
    left = keys(backend)
    look_again(slow, 301)
    read(slow, token)

    assert (len(left), first in left) == (1, False)
    assert read(slow, token) is None
    assert list(slow._keys) == left  # noqa: SLF001 - what it goes by


def test_a_key_that_was_taken_away_counts_no_more(process, sign, read, backend):
    tokens = process()
    token = sign(tokens)
    before = read(tokens, token)
    backend.sql("DELETE FROM signing_keys")
    look_again(tokens, 301)

    assert before is not None
    assert read(tokens, token) is None


def test_tokens_of_no_key_make_nobody_look_each_time(process, sign, read, monkeypatch):
    tokens = process()
    token = sign(tokens)
    looks = []
    original = tokens._look  # noqa: SLF001 - counts what asks the database

    async def counted(*, may_make):
        looks.append(may_make)
        await original(may_make=may_make)

    monkeypatch.setattr(tokens, "_look", counted)
    stranger = jwt.encode(
        {"sub": "x"}, "0" * 64, headers={"kid": "0197b3c0-0000-7000-8000-000000000000"}
    )
    for _ in range(5):
        assert read(tokens, stranger) is None
    look_again(tokens, 6)
    read(tokens, stranger)

    assert (looks, read(tokens, token) is not None) == ([False], True)


def test_a_key_that_cant_be_opened_any_more_is_followed_by_another(process, sign, read, backend):
    lost = process(Vault(["another-secret-key-of-the-installation-0"]))
    token = sign(lost)
    tokens = process()

    assert read(tokens, token) is None
    assert key_of(sign(tokens)) != key_of(token)
    assert len(keys(backend)) == 2
