"""All SQL of mails that wait to be sent."""

from datetime import datetime

from msgspec import Struct

from monigo.infra.db import Transaction
from monigo.infra.mail.types import MailId

INSERT_MAIL = """
    INSERT INTO mails (org_id, is_test, id, ciphertext, written_at) VALUES ($1, $2, $3, $4, $5)
"""

SELECT_MAIL = """
    SELECT ciphertext, written_at FROM mails WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

DELETE_MAIL = """
    DELETE FROM mails WHERE org_id = $1 AND is_test = $2 AND id = $3
"""


class SealedMail(Struct, frozen=True):
    """A mail as it waits."""

    ciphertext: bytes
    written_at: datetime


async def insert(tx: Transaction, mail_id: MailId, ciphertext: bytes) -> None:
    """Store a mail."""
    await tx.execute(INSERT_MAIL, mail_id, ciphertext, tx.real_now)


async def load(tx: Transaction, mail_id: MailId) -> SealedMail | None:
    """A mail that waits."""
    row = await tx.fetchrow(SELECT_MAIL, mail_id)
    return None if row is None else SealedMail(row["ciphertext"], row["written_at"])


async def delete(tx: Transaction, mail_id: MailId) -> None:
    """Take a mail away."""
    await tx.execute(DELETE_MAIL, mail_id)
