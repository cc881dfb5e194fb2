"""The mailer: keeps mails in transactions, and sends them as due work."""

import asyncio
from datetime import timedelta

import msgspec

from monigo.infra import agenda
from monigo.infra.agenda import BackOff, Claim, Follows, Kind, Steps, Task
from monigo.infra.crypto import UnreadableSecretError, Vault
from monigo.infra.db import Database, Transaction
from monigo.infra.ids import new_id
from monigo.infra.logging import logger
from monigo.infra.mail import store
from monigo.infra.mail.transports import MailRefusedError, Transport, transport_of
from monigo.infra.mail.types import Mail, MailId
from monigo.infra.settings import Settings

log = logger(__name__)

MAIL = Kind("mail", Follows.REAL)
# A mail is of no use after this time; mail servers give up after as long, too.
AGE_MAX = timedelta(days=3)
BACK_OFF = BackOff(first=timedelta(seconds=30), most=timedelta(hours=2))
PURPOSE = "mail"


class Mailer:
    """Writes mails down and sends them, by one transport."""

    def __init__(self, vault: Vault, transport: Transport) -> None:
        self._vault = vault
        self._transport = transport
        self.task = Task(MAIL, Steps(self._deliver), back_off=BACK_OFF)

    async def write(self, tx: Transaction, mail: Mail) -> MailId:
        """Have a mail sent, if the transaction commits.

        Raises:
            DomainError: unavailable, where the installation has no key to encrypt it with.
        """
        mail_id = MailId(new_id())
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
        if waiting is not None and now - waiting.written_at <= AGE_MAX:
            try:
                plain = self._vault.decrypt(PURPOSE, waiting.ciphertext, context=mail_id.bytes)
                await self._transport.send(mail_id, msgspec.json.decode(plain, type=Mail), now)
            except (MailRefusedError, UnreadableSecretError) as error:
                log.warning("mail dropped", mail=str(mail_id), reason=type(error).__name__)
        async with database.transaction(claim.tenant) as tx:
            await store.delete(tx, mail_id)
            await claim.finish(tx)


def mailer_of(settings: Settings, vault: Vault) -> Mailer:
    """The mailer that the settings ask for."""
    return Mailer(vault, transport_of(settings))
