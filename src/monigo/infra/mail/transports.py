"""How mails leave: by SMTP, or as files where there is no server."""

import asyncio
import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
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
_UNSAFE = re.compile(r"[^A-Za-z0-9@.+_-]")
# What every file system takes, with the time before it.
_FILE_NAME_LENGTH_MAX = 100


class MailRefusedError(Exception):
    """The server will never take this mail: its recipient is unknown, or it is malformed."""


class Transport(Protocol):
    """Takes mails to where they go."""

    async def send(self, mail_id: MailId, mail: Mail, at: datetime) -> None:
        """Hand over a mail; mailboxes recognise a repeat by the same id.

        Raises:
            MailRefusedError: it will never be taken.
            DomainError: it was not taken this time.
        """
        ...


class SmtpTransport:
    """Sends to a mail server, with a connection for each mail."""

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
                raise MailRefusedError from None  # Its text names the recipient, which no log may.
            raise _not_sent() from None
        except aiosmtplib.SMTPAuthenticationError:
            raise _not_sent() from None  # The password may be mended.
        except aiosmtplib.SMTPResponseException as error:
            if error.code >= PERMANENT:
                raise MailRefusedError from None
            raise _not_sent() from None
        except (aiosmtplib.SMTPException, OSError):
            raise _not_sent() from None
        except ValueError:
            raise MailRefusedError from None  # An address that no server would know.

    def _start_tls(self) -> bool | None:
        """Whether to insist on TLS; None takes it where it is offered."""
        if self._is_encrypted:
            return False
        return True if self._username and self._host not in _LOOPBACK else None


class FileTransport:
    """Writes each mail to a file, for installations without a mail server."""

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
    message = EmailMessage(policy=SMTP)
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    try:
        message["From"] = sender
        message["To"] = mail.recipient
        message["Subject"] = mail.subject
    except ValueError:
        raise MailRefusedError from None  # No address at all.
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{mail_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


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
