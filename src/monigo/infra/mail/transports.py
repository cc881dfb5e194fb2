"""How mails leave: by SMTP, or as files where there is no server."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import (
    Address,
    BaseHeader,
    HeaderRegistry,
    UnstructuredHeader,
)
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from monigo.core.errors import DomainError, ErrorKind
from monigo.infra.crypto import write_private
from monigo.infra.mail.types import Mail, MailId
from monigo.infra.settings import Settings

SMTP_TIMEOUT_SECONDS = 20
# Of "the command was not taken, and won't be": RFC 5321, 4.2.1.
PERMANENT = 500
SMTP_PORT, SMTPS_PORT = 587, 465
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# RFC 5321, 4.2.3: unavailable, not local, not allowed as a name.
_OF_MAILBOX = frozenset({550, 551, 553})
_ENHANCED = re.compile(r"\s*5\.(\d{1,3})\.(\d{1,3})\b")
_UNSAFE = re.compile(r"[^A-Za-z0-9@.+_-]")
# What every file system takes, with the time before it.
_FILE_NAME_LENGTH_MAX = 100


class _WholeHeader(UnstructuredHeader, BaseHeader):
    """A header on one line. The library would encode a long address, which nobody decodes."""

    def fold(self, *, policy: Policy) -> str:
        """The header as it travels; a line may have 998 characters (RFC 5322, 2.1.1)."""
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _WholeHeader)
_POLICY = SMTP.clone(header_factory=_HEADERS)


class MailRefusedError(Exception):
    """The server will never take this mail: its address is unknown, or for another reason."""

    def __init__(self, *, is_of_address: bool) -> None:
        super().__init__()
        self.is_of_address = is_of_address


class Transport(Protocol):
    """Takes mails to where they go."""

    @property
    def reaches_people(self) -> bool:
        """Whether mails leave this machine."""
        ...

    async def send(self, mail_id: MailId, mail: Mail, at: datetime) -> None:
        """Hand over a mail; mailboxes recognise a repeat by the same id.

        Raises:
            MailRefusedError: it will never be taken.
            DomainError: it was not taken this time.
        """
        ...


class SmtpTransport:
    """Sends to a mail server, with a connection for each mail."""

    reaches_people = True

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        self._sender = sender
        self._host = parts.hostname or "localhost"
        self._is_encrypted = parts.scheme == "smtps"
        self._port = parts.port or (SMTPS_PORT if self._is_encrypted else SMTP_PORT)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    async def send(self, mail_id: MailId, mail: Mail, at: datetime) -> None:
        """Hand over a mail."""
        try:
            await aiosmtplib.send(
                message_of(mail_id, mail, self._sender, at),
                recipients=[mail.recipient],
                hostname=self._host,
                port=self._port,
                username=self._username,
                password=self._password,
                use_tls=self._is_encrypted,
                start_tls=self._start_tls(),
                timeout=SMTP_TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(one.code >= PERMANENT for one in error.recipients):
                is_of_address = all(is_unknown(one.code, one.message) for one in error.recipients)
                # Its text names the recipient, which no log may.
                raise MailRefusedError(is_of_address=is_of_address) from None
            raise _not_sent() from None
        except aiosmtplib.SMTPAuthenticationError:
            raise _not_sent() from None  # The password may be mended.
        except aiosmtplib.SMTPResponseException as error:
            if error.code >= PERMANENT:
                raise MailRefusedError(is_of_address=False) from None
            raise _not_sent() from None
        except (aiosmtplib.SMTPException, OSError):
            raise _not_sent() from None
        except ValueError:
            # An address that no server would know.
            raise MailRefusedError(is_of_address=True) from None

    def _start_tls(self) -> bool | None:
        """Whether to insist on TLS; None takes it where it is offered."""
        if self._is_encrypted:
            return False
        return True if self._username and self._host not in _LOOPBACK else None


class FileTransport:
    """Writes each mail to a file, for installations without a mail server."""

    reaches_people = False

    def __init__(self, directory: Path, sender: str) -> None:
        self._directory = directory
        self._sender = sender

    async def send(self, mail_id: MailId, mail: Mail, at: datetime) -> None:
        """Write a mail; a repeat overwrites the first."""
        to = _UNSAFE.sub("_", mail.recipient)[:_FILE_NAME_LENGTH_MAX]
        path = self._directory / f"{at:%Y%m%dT%H%M%S.%fZ}-{to}.eml"
        text = message_of(mail_id, mail, self._sender, at).as_string()
        await asyncio.to_thread(write_private, path, text)


def message_of(mail_id: MailId, mail: Mail, sender: str, at: datetime) -> EmailMessage:
    """The mail as it travels."""
    message = EmailMessage(policy=_POLICY)
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    try:
        message["From"] = _from(sender, mail.sender_name)
        message["To"] = mail.recipient
        message["Subject"] = mail.subject
        if mail.reply_to:
            message["Reply-To"] = Address(addr_spec=mail.reply_to)
    except (ValueError, HeaderParseError, IndexError):
        raise MailRefusedError(is_of_address=True) from None  # No address at all.
    addresses: Sequence[Address] = message["To"].addresses
    if len(addresses) != 1 or not addresses[0].domain:
        # A list of them would go to others, too.
        raise MailRefusedError(is_of_address=True)
    if mail.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{mail_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def is_unknown(code: int, answer: str) -> bool:
    """Whether a server refuses a recipient because there is no such mailbox, for good.

    The enhanced code says so, where there is one (RFC 3463: 5.1.x is of the address, 5.2.1 a
    mailbox that is closed); else the plain one. What is refused by policy, or as the mailbox is
    full, says nothing of the address.
    """
    enhanced = _ENHANCED.match(answer)
    if enhanced is None:
        return code in _OF_MAILBOX
    return enhanced[1] == "1" or (enhanced[1], enhanced[2]) == ("2", "1")


def _from(sender: str, name: str) -> str | Address:
    """The installation's address, under a name of the mail's own where it has one."""
    return Address(name, addr_spec=parseaddr(sender)[1]) if name else sender


def mail_directory(settings: Settings) -> Path:
    """Where mails lie as files."""
    return settings.data_dir / "mail"


def transport_of(settings: Settings) -> Transport:
    """The way that the settings name."""
    if settings.smtp_url is None:
        return FileTransport(mail_directory(settings), settings.mail_from)
    return SmtpTransport(settings.smtp_url.get_secret_value(), settings.mail_from)


def _not_sent() -> DomainError:
    return DomainError(
        ErrorKind.UNAVAILABLE, "mail_not_sent", "the mail server did not take the mail"
    )
