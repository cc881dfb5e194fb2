"""The HTTP client tells what was never sent from what was, and bounds time and size."""

import asyncio
import socket
import threading
import time
from contextlib import suppress

import pytest

from monigo.infra.http_client import HttpClient, NoAnswerError, NotSentError, client


class Peer:
    """A server that answers each connection by what it is told to write, and then hangs up."""

    def __init__(self, *pieces, pause=0.0):
        self.seen = []
        self._pieces, self._pause = pieces, pause
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/x"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self._listener.accept()
            with connection:
                self.seen.append(connection.recv(65536))
                with suppress(OSError):
                    for piece in self._pieces:
                        connection.sendall(piece)
                        time.sleep(self._pause)


def send(url, **more):
    async def run():
        http = HttpClient()
        try:
            return await http.send("POST", url, headers={}, content=b"{}", **more)
        finally:
            await http.close()

    return asyncio.run(run())


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_an_answer_has_status_headers_in_lower_case_and_bytes():
    peer = Peer(b"HTTP/1.1 201 Created\r\nX-Name: v\r\nContent-Length: 2\r\n\r\n{}")

    answer = send(peer.url)

    assert (answer.status, answer.headers["x-name"], answer.body) == (201, "v", b"{}")
    assert b"accept-encoding: identity" in peer.seen[0].lower()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{free_port}/",
        "http://no-such-host.invalid/",
        "http://127.0.0.1:99999/",
        "gopher://127.0.0.1/",
    ],
)
def test_what_was_never_sent_is_told_from_what_is_unknown(url):
    with pytest.raises(NotSentError):
        send(url.replace("{free_port}", str(free_port())))


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"HTTP/1.1 200 OK\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",),
        (b"nonsense\r\n\r\n",),
    ],
)
def test_a_connection_that_ends_too_soon_leaves_it_unknown(pieces):
    with pytest.raises(NoAnswerError) as unknown:
        send(Peer(*pieces).url)

    assert not unknown.value.is_timeout


def test_the_time_is_for_all_of_it_however_slowly_bytes_come():
    peer = Peer(b"HTTP/1.1 200 OK\r\n", *[b"a: b\r\n"] * 400, pause=0.05)
    begun = time.monotonic()

    with pytest.raises(NoAnswerError) as unknown:
        send(peer.url, seconds=0.4)

    assert unknown.value.is_timeout
    assert time.monotonic() - begun < 10


def test_without_time_nothing_is_sent():
    peer = Peer()

    with pytest.raises(NotSentError):
        send(peer.url, seconds=0)

    assert peer.seen == []


@pytest.mark.parametrize("key", ["Bearer ", "Bearer a\r\nX: y", "Bearer a\x00"])
def test_what_no_header_can_hold_is_not_sent(key):
    peer = Peer()

    async def run():
        http = HttpClient()
        try:
            await http.send("GET", peer.url, headers={"Authorization": key})
        finally:
            await http.close()

    with pytest.raises(NotSentError):
        asyncio.run(run())


def test_a_redirect_is_an_answer_and_not_followed():
    peer = Peer(b"HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n")

    assert send(peer.url).status == 302
    assert len(peer.seen) == 1


@pytest.mark.parametrize(("kept", "connections"), [(60, 1), (0.1, 2)])
def test_a_connection_that_nobody_used_is_not_used_again(monkeypatch, kept, connections):
    monkeypatch.setattr(client, "KEEP_ALIVE_SECONDS", kept)
    opened = []

    async def serve(reader, writer):
        opened.append(writer)
        while await reader.readuntil(b"\r\n\r\n{}"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async def run():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        http = HttpClient()
        for _ in range(2):
            await http.send("POST", url, headers={}, content=b"{}")
            await asyncio.sleep(0.3)
        await http.close()
        server.close()

    asyncio.run(run())
    assert len(opened) == connections


def test_an_answer_that_is_too_large_is_none(monkeypatch):
    monkeypatch.setattr(client, "ANSWER_BYTES_MAX", 10)
    peer = Peer(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" + b"x" * 11)

    with pytest.raises(NoAnswerError):
        send(peer.url)


def test_a_fault_tells_nothing_of_where_it_went():
    with pytest.raises(NotSentError) as refused:
        send(f"http://127.0.0.1:{free_port()}/?account_number=0690000031")

    assert "0690000031" not in str(refused.value)
