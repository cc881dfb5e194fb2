"""Who has no key that counts, or stalls, takes nothing from anybody else."""

import contextlib
import gzip
import socket
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from monigo import tenancy
from monigo.api.kernel.http import bodies
from monigo.api.ops import docs
from monigo.core.access import Permission
from monigo.core.errors import DomainError
from monigo.core.ids import ApiKeyId
from support.api import Api, event

MEBIBYTE = 1024 * 1024
ORDINARY = "/v1/customers"
INGEST = "/v1/ingest"
MOVEMENT = "/v1/wallets/{wallet}/credit"


@pytest.fixture
def other(backend):
    """Another organisation, which must not suffer."""
    with Api.of_new_organization(backend) as client:
        client.customer()
        yield client


@pytest.fixture
def memory(backend):
    return backend.server.config.app.state.body_memory


def key_id(backend, api):
    return backend.sql("SELECT id FROM api_keys WHERE org_id = $1", api.org_id)[0]["id"]


def revoke(backend, api):
    backend.run(
        tenancy.revoke_key(
            backend.services.database,
            org_id=api.org_id,
            api_key_id=ApiKeyId(key_id(backend, api)),
        )
    )


def expire(backend, api):
    backend.sql(
        "UPDATE api_keys SET expires_at = $2 WHERE org_id = $1",
        api.org_id,
        backend.clock.now() - timedelta(seconds=1),
    )


def restrict(backend, api):
    backend.sql("UPDATE api_keys SET scopes = '{read}' WHERE org_id = $1", api.org_id)


class Stalled:
    """A client that announces a body, sends a part of it, and waits."""

    def __init__(self, api, path, *, sends, announces=5 * MEBIBYTE):
        address = urlsplit(api.backend.url)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=20)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: monigo\r\nAuthorization: Bearer {api.secret}\r\n"
            f"Content-Length: {announces}\r\n\r\n"
        )
        self.socket.sendall(head.encode())
        # It may be refused in the middle.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(b" " * sends)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def answer(self):
        """The status that comes back."""
        return int(self.socket.recv(100).split()[1])

    def whole_answer(self):
        """All that comes back before the server hangs up."""
        return b"".join(iter(lambda: self.socket.recv(4_096), b""))


@pytest.mark.parametrize(("spoil", "status"), [(revoke, 401), (expire, 401), (restrict, 403)])
@pytest.mark.parametrize("path", [ORDINARY, INGEST, MOVEMENT.format(wallet="x")])
def test_a_key_that_does_not_count_has_no_body_held(
    api, backend, other, memory, *, path, spoil, status
):
    api.get(ORDINARY)
    spoil(backend, api)
    free = memory.bytes_free

    stalled = [Stalled(api, path, sends=4 * MEBIBYTE) for _ in range(5)]
    told = [client.answer() for client in stalled]
    while_stalled = memory.bytes_free
    written = other.post(INGEST, json={"events": [event("e1")]})
    for client in stalled:
        client.socket.close()

    assert told == [status] * 5
    assert while_stalled == free
    assert written.status_code == 202


@pytest.mark.parametrize("spoil", [revoke, expire])
@pytest.mark.parametrize(
    ("path", "content", "headers"),
    [
        (INGEST, b"{", {}),
        (INGEST, b'{"events": 1}', {}),
        (INGEST, b" " * (6 * MEBIBYTE), {}),
        (ORDINARY, b"{", {}),
        (ORDINARY, b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}),
        (ORDINARY, b" " * (2 * MEBIBYTE), {}),
        ("/api/v1/customers", b'{"org_id": "00000000-0000-0000-0000-000000000001"}', {}),
        ("/api/v1/customers", b'{"is_test": false}', {}),
        ("/v1/wallets/no-uuid/credit", b"{", {}),
        ("/v1/wallets/no-uuid/debit", b'{"amount": 1}', {}),
        ("/v1/wallets/00000000-0000-0000-0000-000000000001/credit", b"[]", {}),
        ("/api/v1/wallets/no-uuid/credit", b'{"is_test": "x"}', {}),
        ("/v1/wallets/no-uuid/credit", b"<a/>", {"Content-Type": "text/xml"}),
        ("/v1/wallets/no-uuid/credit", b" " * (2 * MEBIBYTE), {}),
    ],
)
def test_a_bad_request_under_a_key_that_ended_is_told_of_the_key_alone(
    api, backend, *, path, content, headers, spoil
):
    spoil(backend, api)

    answer = api.post(path, content=content, headers=headers)

    assert answer.status_code == 401
    assert answer.json() == {"error": "missing or invalid API key", "code": "invalid_credential"}


def test_an_organisation_that_stalls_leaves_memory_to_all_others(api, other, memory):
    api.customer()
    free = memory.bytes_free

    stalled = [Stalled(api, INGEST, sends=4 * MEBIBYTE) for _ in range(8)]
    told = [client.answer() for client in stalled[5:]]
    left = memory.bytes_free
    content = b'{"events": [' + b" " * (4 * MEBIBYTE) + b"]}"
    large = other.post(INGEST, content=content)
    for client in stalled:
        client.socket.close()

    assert told.count(503) >= 1
    assert left >= free // 2
    assert large.status_code == 400  # No events in it: it was read whole.


def test_however_many_organisations_stall_the_next_one_finds_memory():
    memory = bodies.BodyMemory(20 * MEBIBYTE)

    for org_id in range(1_000):
        while memory.take(org_id, 64 * 1024):
            continue

    assert memory.take("next", 1_000)
    assert memory.bytes_free > 0


def test_memory_that_is_given_back_is_free_again():
    memory = bodies.BodyMemory(100)
    with memory.reader("a"):
        memory.take("a", 50)
        refused = memory.take("a", 1)
    memory.free("a", 50)

    assert not refused
    assert (memory.bytes_free, memory.take("a", 50)) == (100, True)


@pytest.mark.parametrize("path", [ORDINARY, INGEST, MOVEMENT.format(wallet="x")])
@pytest.mark.parametrize("sends", [1, 20_000])
def test_a_body_that_comes_too_slowly_is_cut(api, memory, monkeypatch, path, sends):
    monkeypatch.setattr(bodies, "WINDOW_SECONDS", 0.2)
    free = memory.bytes_free

    with Stalled(api, path, sends=sends, announces=MEBIBYTE) as stalled:
        told = stalled.whole_answer()

    assert told.startswith(b"HTTP/1.1 408 ")
    assert b"access-control-allow-origin: *\r\n" in told
    assert b'"code":"body_too_slow"' in told
    assert memory.bytes_free == free


def test_a_body_that_keeps_coming_is_not_cut(api, monkeypatch):
    monkeypatch.setattr(bodies, "WINDOW_SECONDS", 2)
    monkeypatch.setattr(bodies, "WINDOW_BYTES_MIN", 1_000)

    with Stalled(api, ORDINARY, sends=1_000, announces=8_000) as client:
        for _ in range(7):
            client.socket.settimeout(0.4)
            with pytest.raises(TimeoutError):
                client.answer()
            client.socket.sendall(b" " * 1_000)
        client.socket.settimeout(20)

        assert client.answer() == 400


def test_a_key_is_asked_for_once_a_second_at_most(api, backend):
    keys = tenancy.KeyFinder(backend.services.database, monotonic=lambda: now[0])
    now = [0]
    caller = backend.run(keys.find(api.secret))
    backend.run(keys.check(caller, Permission.CUSTOMERS_WRITE))
    revoke(backend, api)

    now[0] = 999_999_999
    backend.run(keys.check(caller, Permission.CUSTOMERS_WRITE))
    now[0] = 1_000_000_000

    with pytest.raises(DomainError, match="missing or invalid"):
        backend.run(keys.check(caller, Permission.CUSTOMERS_WRITE))


def test_the_schema_is_made_once_however_many_ask(backend, monkeypatch):
    app = backend.server.config.app
    first = httpx.get(f"{backend.url}/openapi.json", timeout=60)
    monkeypatch.setattr(app, "openapi", lambda: pytest.fail("made again"))

    again = [httpx.get(f"{backend.url}/openapi.json") for _ in range(4)]

    assert {answer.content for answer in again} == {first.content}
    assert first.headers["content-type"] == "application/json"


def test_the_schema_is_sent_compressed_to_those_who_take_it(backend):
    url = f"{backend.url}/openapi.json"

    with httpx.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as answer:
        compressed = b"".join(answer.iter_raw())
    plain = httpx.get(url, headers={"Accept-Encoding": "identity"})

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(compressed) == plain.content
    assert len(compressed) * 10 < len(plain.content)


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip, deflate", True),
        ("GZIP;q=0.5", True),
        ("br, *", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("br", False),
        ("notgzip", False),
        ("", False),
    ],
)
def test_compression_is_negotiated(backend, accepted, is_compressed):
    answer = httpx.get(f"{backend.url}/openapi.json", headers={"Accept-Encoding": accepted})

    assert ("content-encoding" in answer.headers) is is_compressed
    assert answer.json()["info"]["title"] == "Monigo"


@pytest.mark.parametrize(
    "path", ["/openapi.json", "/docs", *(f"{docs.ASSETS_PATH}/{name}" for name in docs.ASSETS)]
)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_what_a_client_has_already_is_not_sent_again(backend, path, encoding):
    headers = {"Accept-Encoding": encoding}
    first = httpx.get(backend.url + path, headers=headers)
    tag = first.headers["etag"]

    known = httpx.get(backend.url + path, headers={**headers, "If-None-Match": f'"x", W/{tag}'})
    unknown = httpx.get(backend.url + path, headers={**headers, "If-None-Match": '"other"'})

    assert (first.status_code, known.status_code, unknown.status_code) == (200, 304, 200)
    assert (known.content, known.headers["etag"]) == (b"", tag)
    assert unknown.content == first.content


def test_other_files_of_the_package_are_not_served(backend):
    answer = httpx.get(f"{backend.url}{docs.ASSETS_PATH}/../__init__.py")

    assert answer.status_code == 404
