"""Where providers' webhooks go: each is kept until the story delivers it, or loses it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from msgspec import Struct


class Letter(Struct, frozen=True):
    """A webhook as a provider sent it, and the address that it is for."""

    url: str
    headers: dict[str, str]
    body: bytes


class Mailbox:
    """Takes providers' webhooks in; `deliver` passes them on to the product."""

    def __init__(self):
        self.waiting: list[Letter] = []
        self.delivered: list[Letter] = []
        # How many of the next ones are passed on at once, before their cause was answered.
        self.early = 0
        self._client = httpx.Client(timeout=60)
        self._targets: dict[str, str] = {}
        mailbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                mailbox.take(
                    self.path,
                    dict(self.headers.items()),
                    self.rfile.read(int(self.headers["Content-Length"])),
                )
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def address(self, name, target):
        """The address of a mailbox whose webhooks are for a target."""
        self._targets[f"/{name}"] = target
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def take(self, path, headers, body):
        kept = {
            name: value
            for name, value in headers.items()
            if name.lower().endswith(("signature", "hash", "content-type"))
        }
        letter = Letter(self._targets[path], kept, body)
        if self.early:
            self.early -= 1
            self.deliver(letter)
        else:
            self.waiting.append(letter)

    def deliver(self, letter):
        """Pass a webhook on; it is answered by 200 whatever it says."""
        answer = self._client.post(letter.url, content=letter.body, headers=letter.headers)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        self.delivered.append(letter)

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._client.close()
