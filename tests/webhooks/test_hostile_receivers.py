"""Receivers that hang, trickle, send a gigabyte or hang up: the others get theirs meanwhile."""

import asyncio
import contextlib
import re
from contextlib import asynccontextmanager

import pytest

from monigo.infra import agenda
from monigo.infra.http_client import Outward
from monigo.webhooks.deliveries import RESPONSE_BYTES_MAX, RETRY, SEND, Sender
from support.agenda import run_until
from support.hooks import endpoint, logs, send, tried
from support.webhooks import tasks_of

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
MEGABYTE = b"x" * 1_000_000
HEAD = b"HTTP/1.1 200 OK\r\n"
REDIRECT = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/inside\r\ncontent-length: 0\r\n\r\n"


async def hang(_writer):
    await asyncio.Event().wait()


async def hang_up(writer):
    writer.transport.abort()


async def trickle(writer):
    while True:
        writer.write(b"H")
        await asyncio.sleep(0.5)


async def redirect(writer):
    writer.write(REDIRECT)
    await writer.drain()


async def send_a_gigabyte(writer):
    writer.write(HEAD + b"content-length: 1000000000\r\n\r\n")
    for _ in range(1_000):
        writer.write(MEGABYTE)
        await writer.drain()


async def never_end_the_body(writer):
    writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\nx\r\n")
        await asyncio.sleep(0.1)


@asynccontextmanager
async def serving(behave):
    """A server that does one thing with each connection; its URL."""

    async def handle(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(LENGTH.search(head)[1]))
        with contextlib.suppress(ConnectionError):
            await behave(writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.close()


@pytest.fixture
def served(api):
    """Servers that behave in ways, by their functions; their URLs."""
    open_ones = []

    def serve(behave):
        block = serving(behave)
        open_ones.append(block)
        return api.backend.run(block.__aenter__())

    yield serve
    for block in open_ones:
        api.backend.run(block.__aexit__(None, None, None))


def work_until(api, is_done):
    api.backend.run(run_until(api.backend, tasks_of(api, SEND, RETRY), is_done, seconds=60))


@pytest.mark.parametrize("behave", [hang, trickle])
def test_an_endpoint_that_does_not_answer_delays_no_other(api, served, receiver, behave):
    bad = endpoint(api, served(behave))
    for _ in range(10):
        tried(api, bad["id"])
    good = [endpoint(api, f"{receiver.url}/{number}") for number in range(5)]
    for one in good:
        tried(api, one["id"])

    # The runner ends with what is under way; the others were served before that.
    work_until(api, lambda: len(receiver.events) == len(good))

    assert {log["status"] for one in good for log in logs(api, endpoint_id=one["id"])} == {
        "succeeded"
    }
    of_bad = logs(api, endpoint_id=bad["id"])
    assert {log["status"] for log in of_bad} == {"pending"}
    assert {log["error"] for log in of_bad if log["attempts"]} == {
        "did not answer within 10 seconds"
    }


@pytest.mark.parametrize(
    ("behave", "status", "error"),
    [
        (hang_up, None, "did not answer: "),
        (redirect, 302, "answered HTTP 302: redirects are not followed"),
    ],
)
def test_what_is_no_success_is_tried_again(api, served, behave, status, error):
    made = endpoint(api, served(behave))
    tried(api, made["id"])

    send(api)

    (log,) = logs(api)
    assert (log["status"], log["response_status"]) == ("pending", status)
    assert log["error"].startswith(error)


@pytest.mark.parametrize("behave", [send_a_gigabyte, never_end_the_body])
def test_of_an_answer_that_does_not_end_the_beginning_is_kept(api, served, behave):
    made = endpoint(api, served(behave))
    tried(api, made["id"])

    send(api)

    (log,) = logs(api)
    assert (log["status"], log["response_status"]) == ("succeeded", 200)
    assert 0 < len(log["response_body"]) <= RESPONSE_BYTES_MAX
    assert log["duration_ms"] < 9_000


def test_a_name_that_leads_inside_is_not_asked(api, receiver):
    """It was public as it was stored; by the time that it is asked it is the machine itself."""
    port = receiver.url.split(":")[2].split("/")[0]
    made = endpoint(api, f"https://shop.example:{port}/hooks")
    tried(api, made["id"])

    async def resolve(_host):
        return ["127.0.0.1"]

    async def ask():
        services = api.backend.services
        sender = Sender(services.webhooks.vault, Outward(resolve=resolve))
        await agenda.work_off(services.database, sender.tasks[0], api.tenant)
        await sender.close()

    api.backend.run(ask())

    (log,) = logs(api)
    assert (log["status"], log["error"]) == (
        "pending",
        "could not be reached: the host has no public address",
    )
    assert receiver.events == []
