"""No connection takes a place for long without asking, and no address takes all places."""

import asyncio
import json
import socket
from functools import partial
from ipaddress import ip_network

import pytest
import uvicorn

from monigo.api.kernel.http.browsers import CrossOrigin
from monigo.cli import connections
from monigo.cli.connections import GuardedProtocol
from monigo.cli.door import Door

HEAD = b"GET / HTTP/1.1\r\nHost: monigo\r\n"
REQUEST = HEAD + b"\r\n"
PROXY = ip_network("127.0.0.1")


# No answer that comes at all takes longer.
SECONDS_MAX = 30


def app_until(released):
    """Answers 204; on /wait only when the body is there, on /slow when it is told to.

    On /stream it begins to answer 200, and never ends by itself. On /text it answers with a body,
    which on /late comes when it is told to.
    """

    async def app(scope, receive, send):
        if scope["path"] == "/wait":
            while (await receive()).get("more_body"):
                continue
        if scope["path"] == "/slow":
            await released.wait()
        if scope["path"] == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            await released.wait()
            return
        if scope["path"] in {"/text", "/late"}:
            headers = [(b"content-length", b"5")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if scope["path"] == "/late":
                await released.wait()
            await send({"type": "http.response.body", "body": b"hello"})
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    return app


class Talker:
    """A guarded server, and connections to it."""

    def __init__(self, port, released):
        self.port = port
        self.released = released
        self.writers = []

    async def open(self, *pieces):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        return reader

    async def say(self, *pieces):
        """What came back before the server hung up."""
        reader = await self.open(*pieces)
        try:
            return await asyncio.wait_for(reader.read(), SECONDS_MAX)
        except ConnectionError:
            return b""

    async def first_line(self, *pieces):
        reader = await self.open(*pieces)
        return await asyncio.wait_for(reader.readline(), SECONDS_MAX)


@pytest.fixture
def guarded(monkeypatch):
    """Runs a story on a guarded server."""
    monkeypatch.setattr(connections, "HEAD_SECONDS_MAX", 0.2)

    async def run(story, door, origins):
        http = partial(GuardedProtocol, door=door, cross_origin=CrossOrigin(origins))
        released = asyncio.Event()
        app = app_until(released)
        config = uvicorn.Config(app, port=0, http=http, log_config=None, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it, only a flag
            await asyncio.sleep(0.01)
        talker = Talker(server.servers[0].sockets[0].getsockname()[1], released)
        try:
            return await story(talker)
        finally:
            released.set()
            for writer in talker.writers:
                writer.close()
            server.should_exit = True
            await serving

    return lambda story, door=None, origins=("*",): asyncio.run(run(story, door or Door(), origins))


@pytest.fixture
def said(guarded):
    """What comes back for some bytes before the server hangs up."""
    return lambda *pieces: guarded(lambda talker: talker.say(*pieces))


def forwarded(*addresses, path="/"):
    header = ", ".join(addresses).encode()
    return f"GET {path} HTTP/1.1\r\nHost: m\r\n".encode() + b"X-Forwarded-For: %b\r\n\r\n" % header


def message_of(answer):
    return json.loads(answer.partition(b"\r\n\r\n")[2])["error"]


def told_by(answer):
    """The status, headers and body of an answer; all of it, for nothing follows its body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert len(body) == int(headers["content-length"])
    return int(status.split()[1]), headers, json.loads(body)


@pytest.mark.parametrize("pieces", [b"", b"GET / HT", HEAD + b"X"])
def test_a_connection_that_asks_nothing_is_closed(said, pieces):
    assert said(pieces) == b""


def test_a_second_request_that_never_begins_is_closed_too(said):
    assert said(REQUEST, b"GET / HT").startswith(b"HTTP/1.1 204 ")


def test_headers_without_end_are_refused(said):
    header = b"X-Header: " + b"x" * 1_000 + b"\r\n"

    answer = said(HEAD, *[header * 10] * 5)

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert message_of(answer) == "the headers are too large"


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"A: b\r\n" * 20_000 + b"\r\n",
        HEAD + b"A: b\r\n" * 100 + b"\r\n",
        HEAD + b"A: " + b"b" * 40_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: monigo\r\n\r\n",
    ],
)
def test_too_many_or_too_large_headers_are_refused_however_they_come(said, head):
    answer = said(head)

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close" in answer.lower()


def test_a_hundred_headers_are_taken(said):
    assert said(HEAD + b"A: b\r\n" * 99 + b"\r\n").startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        HEAD + b"Host: other\r\n\r\n",
        HEAD + b"host: monigo\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    ],
)
def test_a_request_names_its_host_once(said, head):
    answer = said(head)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert message_of(answer) == "a request names its host once, in a Host header"


def test_the_first_version_of_http_needs_no_host(said):
    assert said(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 204 ")


def test_headers_behind_a_body_are_bounded_and_not_taken_for_the_requests(said):
    chunked = b"POST /wait HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"

    few = said(chunked, b"Host: other\r\n\r\n")
    many = said(chunked, b"A: b\r\n" * 20_000)

    assert few.startswith(b"HTTP/1.1 204 ")
    assert many == b""


def test_a_large_body_in_one_piece_is_not_taken_for_a_head(said):
    body = b"x" * 40_000
    post = b"POST /wait HTTP/1.1\r\nHost: m\r\nContent-Length: 40000\r\n\r\n" + body

    answer = said(post, HEAD, b"A: b\r\n\r\n")

    assert answer.count(b"HTTP/1.1 204 ") == 2


def test_a_body_that_goes_on_after_the_answer_is_not_waited_for(said, monkeypatch):
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.2)

    answer = said(b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 5000000\r\n\r\nx")

    assert answer.startswith(b"HTTP/1.1 204 ") or answer == b""


def test_one_address_takes_no_more_places_than_it_may(guarded):
    async def story(talker):
        half = [await talker.open(b"GET / HT") for _ in range(5)]
        refused = await talker.say(REQUEST)
        half[0].feed_eof()
        talker.writers[0].close()
        await asyncio.sleep(0.05)
        return refused, await talker.first_line(REQUEST)

    refused, later = guarded(story, Door(5))

    assert refused.startswith(b"HTTP/1.1 429 ")
    assert message_of(refused) == "too many connections from this address"
    assert later.startswith(b"HTTP/1.1 204 ")


def test_half_sent_heads_take_no_requests_places(guarded, monkeypatch):
    monkeypatch.setattr(connections, "REQUESTS_MAX", 2)

    async def story(talker):
        for _ in range(5):
            await talker.open(b"GET / HT")
        return await talker.first_line(REQUEST)

    assert guarded(story).startswith(b"HTTP/1.1 204 ")


def test_more_requests_at_once_than_there_are_places_are_told_to_come_again(guarded, monkeypatch):
    monkeypatch.setattr(connections, "REQUESTS_MAX", 2)

    async def story(talker):
        slow = [await talker.open(forwarded(path="/slow")) for _ in range(2)]
        answer = await talker.say(REQUEST)
        talker.released.set()
        return answer, [await reader.readline() for reader in slow]

    answer, slow = guarded(story)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert [line.split()[1] for line in slow] == [b"204", b"204"]


def test_the_connection_that_waits_longest_makes_room_for_others(guarded):
    async def story(talker):
        oldest, newer = await talker.open(b"GET / HT"), await talker.open(b"GET / HT")
        third = await talker.first_line(REQUEST)
        ended = await asyncio.wait_for(oldest.read(), SECONDS_MAX)
        return third, ended, newer.at_eof()

    third, ended, is_newer_closed = guarded(story, Door(connections_max=2))

    assert third.startswith(b"HTTP/1.1 204 ")
    assert (ended, is_newer_closed) == (b"", False)


def test_a_proxys_clients_are_counted_each_by_itself(guarded):
    async def story(talker):
        slow = [await talker.open(forwarded("10.0.0.1", path="/slow")) for _ in range(2)]
        refused = await talker.first_line(forwarded("10.0.0.1"))
        other = await talker.first_line(forwarded("10.0.0.1", "10.0.0.2"))
        own = await talker.first_line(REQUEST)
        talker.released.set()
        await asyncio.gather(*(reader.readline() for reader in slow))
        return refused, other, own, await talker.first_line(forwarded("10.0.0.1"))

    lines = guarded(story, Door(2, [PROXY]))

    assert [line.split()[1] for line in lines] == [b"429", b"204", b"204", b"204"]


CHUNKED = b"POST /wait HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n"
ORIGIN = b"Origin: https://app.example\r\n"


async def take_all_places(talker):
    for _ in range(2):
        await talker.open(forwarded("10.0.0.1", path="/slow"))


async def take_nothing(_talker):
    pass


# What is refused: what was asked before, how many an address may have, and whose proxies are known.
REFUSED = {
    "headers too many": (
        HEAD + b"A: b\r\n" * 200 + b"\r\n",
        take_nothing,
        (431, "headers_too_large"),
    ),
    "address too long": (
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: m\r\n\r\n",
        take_nothing,
        (431, "headers_too_large"),
    ),
    "headers without end": (HEAD + b"A: b\r\n" * 7_000, take_nothing, (431, "headers_too_large")),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", take_nothing, (400, "host_required")),
    "two hosts": (HEAD + b"Host: n\r\n\r\n", take_nothing, (400, "host_required")),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01", take_nothing, (400, "malformed_request")),
    "no version": (b"GET / HTTP/x\r\n\r\n", take_nothing, (400, "malformed_request")),
    "bad header": (HEAD + b"A b\r\n\r\n", take_nothing, (400, "malformed_request")),
    "bad length": (HEAD + b"Content-Length: x\r\n\r\n", take_nothing, (400, "malformed_request")),
    "bad chunk": (CHUNKED + b"zz\r\n", take_nothing, (400, "malformed_request")),
    "too many of a proxy's client": (
        forwarded("10.0.0.1"),
        take_all_places,
        (429, "too_many_connections"),
    ),
    "too many at once": (REQUEST, take_all_places, (503, "overloaded")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_every_refusal_has_a_code_and_can_be_read_by_a_web_page(guarded, monkeypatch, what):
    request, prepare, (status, code) = REFUSED[what]
    if code == "overloaded":
        monkeypatch.setattr(connections, "REQUESTS_MAX", 2)

    async def story(talker):
        await prepare(talker)
        return await talker.say(request)

    told, headers, body = told_by(guarded(story, Door(2, [PROXY])))

    assert (told, body["code"], sorted(body)) == (status, code, ["code", "error"])
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"
    assert headers["access-control-allow-origin"] == "*"
    assert "Retry-After" in headers["access-control-expose-headers"]
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
    assert ("retry-after" in headers) == (status in {429, 503})


def test_a_refused_connection_is_told_its_code(guarded):
    async def story(talker):
        await talker.open(b"GET / HT")
        return await talker.say(REQUEST)

    status, headers, body = told_by(guarded(story, Door(1)))

    assert (status, body["code"]) == (429, "too_many_connections")
    assert (headers["retry-after"], headers["access-control-allow-origin"]) == ("1", "*")


@pytest.mark.parametrize(
    ("rest", "status"),
    [(b"Host: n\r\n\r\n", 400), (b"X: y\r\nA b\r\n\r\n", 400), (b"A: b\r\n" * 7_000, 431)],
)
@pytest.mark.parametrize(
    ("origin", "allowed"), [(ORIGIN, "https://app.example"), (b"Origin: https://x\r\n", None)]
)
def test_a_refusal_can_be_read_by_the_allowed_origins_alone(guarded, rest, status, origin, allowed):
    answer = guarded(
        lambda talker: talker.say(HEAD + origin + rest), origins=["https://app.example"]
    )

    told, headers, _ = told_by(answer)

    assert (told, headers["vary"]) == (status, "Origin")
    assert headers.get("access-control-allow-origin") == allowed


def test_what_is_no_http_behind_an_answer_that_is_on_its_way_does_not_run_into_it(guarded):
    async def story(talker):
        reader = await talker.open(forwarded(path="/stream"))
        await reader.readuntil(b"begun")
        talker.writers[-1].write(b"\x00\x00\r\n\r\n")
        try:
            return await asyncio.wait_for(reader.read(), SECONDS_MAX)
        except ConnectionError:
            return b""

    assert b"malformed" not in guarded(story)


def test_an_answer_comes_in_one_piece(guarded):
    async def story(talker):
        loop = asyncio.get_running_loop()
        pieces = []
        with socket.create_connection(("127.0.0.1", talker.port)) as connection:
            connection.setblocking(False)
            for _ in range(100):
                await loop.sock_sendall(connection, b"GET /text HTTP/1.1\r\nHost: m\r\n\r\n")
                pieces.append(await loop.sock_recv(connection, 65_536))
        return pieces

    pieces = guarded(story)

    assert {piece.partition(b"\r\n")[0] for piece in pieces} == {b"HTTP/1.1 200 OK"}
    assert {piece[-9:] for piece in pieces} == {b"\r\n\r\nhello"}


def test_a_head_does_not_wait_for_a_body_that_comes_later(guarded):
    async def story(talker):
        reader = await talker.open(b"GET /late HTTP/1.1\r\nHost: m\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS_MAX)
        talker.released.set()
        return head, await asyncio.wait_for(reader.readexactly(5), SECONDS_MAX)

    head, body = guarded(story)

    assert head.startswith(b"HTTP/1.1 200")
    assert body == b"hello"


def test_answers_that_end_their_connection_are_whole(said):
    answer = said(b"GET /text HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\nhello")
