"""The mailer: keeps mails in transactions, and sends them as due work."""

import asyncio
from datetime import datetime, timedelta

import msgspec

from monigo.infra import agenda
from monigo.infra.agenda import BackOff, Claim, Follows, Kind, Steps, Task
from monigo.infra.crypto import UnreadableSecretError, Vault
from monigo.infra.db import Database, Transaction
from monigo.infra.ids import new_id
from monigo.infra.logging import logger
from monigo.infra.mail import store
from monigo.infra.mail.transports import MailRefusedError, Transport, transport_of
from monigo.infra.mail.types import Mail, MailId, NoteOutcome, Outcome
from monigo.infra.settings import Settings

log = logger(__name__)

MAIL = Kind("mail", Follows.REAL)
# A mail is of no use after this time; mail servers give up after as long, too.
AGE_MAX = timedelta(days=3)
BACK_OFF = BackOff(first=timedelta(seconds=30), most=timedelta(hours=2))
PURPOSE = "mail"


async def _nobody_notes(_tx: Transaction, _mail_id: MailId, _outcome: Outcome) -> None:
    """Nobody asks how a mail ended."""


class Mailer:
    """Writes mails down and sends them, by one transport.

    `note` is called once as each mail ends; repeats are possible only
    where its transaction does not commit.
    """

    def __init__(
        self, vault: Vault, transport: Transport, note: NoteOutcome = _nobody_notes
    ) -> None:
        self._vault = vault
        self._transport = transport
        self._note = note
        self.task = Task(MAIL, Steps(self._deliver), back_off=BACK_OFF)

    @property
    def reaches_people(self) -> bool:
        """Whether mails leave this machine; else they become files on it."""
        return self._transport.reaches_people

    @property
    def can_write(self) -> bool:
        """Whether there is a key to encrypt mails with."""
        return self._vault.has_key

    async def write(self, tx: Transaction, mail: Mail, mail_id: MailId | None = None) -> MailId:
        """Have a mail sent, if the transaction commits; under an id of the caller's, if given.

        Raises:
            DomainError: unavailable, where the installation has no key to encrypt it with.
        """
        mail_id = mail_id or MailId(new_id())
        ciphertext = self._vault.encrypt(PURPOSE, msgspec.json.encode(mail), context=mail_id.bytes)
        await store.insert(tx, mail_id, ciphertext)
        await agenda.put(tx, MAIL, {mail_id: tx.real_now})
        return mail_id

    async def _deliver(self, database: Database, claim: Claim, stop: asyncio.Event) -> None:
        del stop  # A mail is over soon.
        mail_id = MailId(claim.subject)
        async with database.transaction(claim.tenant) as tx:
            waiting = await store.load(tx, mail_id)
            now = tx.real_now
        outcome = None if waiting is None else await self._sent(mail_id, waiting, now)
        async with database.transaction(claim.tenant) as tx:
            if outcome is not None:
                await self._note(tx, mail_id, outcome)
            await store.delete(tx, mail_id)
            await claim.finish(tx)

    async def _sent(self, mail_id: MailId, waiting: store.SealedMail, now: datetime) -> Outcome:
        """Hand a mail over to the transport; how that ended.

        Raises:
            DomainError: it was not taken this time.
        """
        if now - waiting.written_at > AGE_MAX:
            return Outcome.EXPIRED
        try:
            plain = self._vault.decrypt(PURPOSE, waiting.ciphertext, context=mail_id.bytes)
            await self._transport.send(mail_id, msgspec.json.decode(plain, type=Mail), now)
        except (MailRefusedError, UnreadableSecretError) as error:
            log.warning("mail dropped", mail=str(mail_id), reason=type(error).__name__)
            is_of_address = isinstance(error, MailRefusedError) and error.is_of_address
            return Outcome.ADDRESS_REFUSED if is_of_address else Outcome.REFUSED
        return Outcome.SENT


def mailer_of(settings: Settings, vault: Vault, note: NoteOutcome) -> Mailer:
    """The mailer that the settings ask for."""
    return Mailer(vault, transport_of(settings), note)
