"""Too much at once: the server says so, stays small, and goes on."""

import asyncio
import contextlib
import gc
import json
import resource
import socket
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from monigo.api.kernel.routes import raw as raw_routes
from monigo.api.kernel.routes import tenant as routes
from monigo.metering import Event
from support.api import event
from support.process import Program

MEMORY_MEBIBYTES_MAX = 200
CONNECTIONS = 60


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    with Program(tmp_path_factory.mktemp("overload") / "data") as running:
        with running.client() as client:
            client.post("/v1/customers", json={"external_id": "c1"})
        yield running


def request_bytes(secret, body, *, length=None):
    head = (
        f"POST /v1/ingest HTTP/1.1\r\nHost: monigo\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Length: {length or len(body)}\r\n\r\n"
    )
    return head.encode() + body


def batch(name, *, count=1_000, padding=5_000):
    events = [
        event(f"{name}-{number}", properties={"text": "x" * padding}) for number in range(count)
    ]
    return json.dumps({"events": events}).encode()


def connect(url):
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=20)


async def statuses_of(url, requests):
    """Send all requests at once, each on a connection of its own; how often each status came."""
    address = urlsplit(url)

    async def status(data):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write(data)
            line = await asyncio.wait_for(reader.readline(), 60)
            return int(line.split()[1])
        except ConnectionError:
            return 503
        finally:
            writer.close()

    return Counter(await asyncio.gather(*map(status, requests)))


def peak_mebibytes(program):
    text = Path(f"/proc/{program.pid}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory from /proc")
def test_a_flood_of_large_batches_is_refused_without_filling_the_memory(serving):
    secret = serving.credentials()["test_api_key"]
    requests = [request_bytes(secret, batch(f"flood-{number}")) for number in range(CONNECTIONS)]

    told = asyncio.run(statuses_of(serving.url, requests))
    again = asyncio.run(statuses_of(serving.url, requests))

    assert set(told) | set(again) <= {202, 503}
    assert told[202] > 0
    assert peak_mebibytes(serving) < MEMORY_MEBIBYTES_MAX
    with serving.client() as client:
        assert client.post("/v1/ingest", json={"events": [event("after")]}).status_code == 202


def test_a_client_that_hangs_up_in_the_middle_harms_nobody(serving):
    secret = serving.credentials()["test_api_key"]
    for number in range(30):
        with connect(serving.url) as connection:
            body = batch(f"gone-{number}", count=10)
            connection.sendall(request_bytes(secret, body[:-100], length=len(body)))

    with serving.client() as client:
        answer = client.post("/v1/ingest", json={"events": [event("gone-0-0"), event("there")]})

    assert answer.json() == {"ingested": ["gone-0-0", "there"], "duplicates": []}


@pytest.mark.skipif(sys.platform != "linux", reason="asks from a second address of this machine")
def test_thousands_of_half_sent_heads_stop_nobody_else(serving):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8_192), hard))
    strangers = [connect(serving.url) for _ in range(2_005)]
    try:
        for stranger in strangers:
            with contextlib.suppress(OSError):  # Most were turned away.
                stranger.sendall(b"GET /v1/customers HT")
        headers = {"Authorization": f"Bearer {serving.credentials()['test_api_key']}"}
        elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(transport=elsewhere, headers=headers, timeout=30) as client:
            answer = client.get(f"{serving.url}/v1/customers")
    finally:
        for stranger in strangers:
            stranger.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert answer.status_code == 200


def test_bodies_together_never_take_more_than_their_share(api, backend):
    api.customer()
    memory = backend.server.config.app.state.body_memory
    free = memory.bytes_free
    memory.bytes_free = 1_000

    fits = api.post("/v1/ingest", json={"events": [event("a")]})
    refused = api.post("/v1/ingest", content=batch("large"))
    also = api.post("/v1/customers", json={"name": "x", "metadata": {"text": "y" * 2_000}})
    left = memory.bytes_free
    memory.bytes_free = free

    assert fits.status_code == 202
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert also.status_code == 503
    assert left == 1_000


@pytest.mark.parametrize(
    "body",
    [
        batch("good", count=20),
        batch("bad customer", count=20).replace(b'"c1"', b'"nobody"'),
        batch("bad time", count=20).replace(b'"properties"', b'"timestamp": "never", "properties"'),
        batch("bad type", count=20).replace(b'"c1"', b"1"),
        b'{"events": [',
    ],
)
def test_no_answer_leaves_events_to_the_garbage_collector(api, body):
    api.customer()
    gc.collect()
    gc.disable()
    try:
        api.post("/v1/ingest", content=body)

        assert not [thing for thing in gc.get_objects() if isinstance(thing, Event)]
    finally:
        gc.enable()


def test_a_body_that_never_ends_is_given_up(api, backend, monkeypatch):
    monkeypatch.setattr(raw_routes, "REQUEST_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(routes, "REQUEST_TIMEOUT_SECONDS", 0.2)

    with connect(backend.url) as connection:
        connection.sendall(request_bytes(api.secret, b'{"events": [', length=500))
        answer = connection.recv(10_000)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in answer.lower()
