"""Mail: written in the transaction that causes it, sent by due work afterwards."""

from monigo.infra.mail.mailer import MAIL, Mailer, mailer_of
from monigo.infra.mail.templates import Templates
from monigo.infra.mail.transports import (
    FileTransport,
    MailRefusedError,
    SmtpTransport,
    Transport,
    mail_directory,
    transport_of,
)
from monigo.infra.mail.types import Mail, MailId, Outcome

__all__ = [
    "MAIL",
    "FileTransport",
    "Mail",
    "MailId",
    "MailRefusedError",
    "Mailer",
    "Outcome",
    "SmtpTransport",
    "Templates",
    "Transport",
    "mail_directory",
    "mailer_of",
    "transport_of",
]
