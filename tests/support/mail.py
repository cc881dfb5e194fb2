"""A real SMTP server, and what is in a mail that it got."""

import asyncio
import email
import re
import socket
from email.policy import default

from aiosmtpd.controller import Controller

CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)
TOKEN = re.compile(r"token=([0-9a-f]{64})")

# Longer than anybody waits for an answer.
HANGS_SECONDS = 60


class MailServer:
    """Keeps what it gets, or refuses it or hangs as it is told."""

    def __init__(self):
        self.received = []
        self.raw = []
        self.refusal = None
        self.hangs = False
        self._controller = Controller(self, hostname="127.0.0.1", port=_free_port())

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd's
        if self.hangs:
            await asyncio.sleep(HANGS_SECONDS)
        if self.refusal is not None:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        self.raw.append(envelope.content)
        self.received.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *_):
        self._controller.stop()

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self._controller.port}"

    def texts(self):
        return [text_of(message) for message in self.received]


def text_of(message):
    """The plain text of a mail."""
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def html_of(message):
    """The HTML of a mail."""
    return message.get_body(("html",)).get_content().replace("\r\n", "\n")


def code_in(message):
    """The six digits that a mail tells, alone on their line."""
    return CODE.search(text_of(message))[1]


def token_in(message):
    """The token in a mail's link."""
    return TOKEN.search(text_of(message))[1]


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
