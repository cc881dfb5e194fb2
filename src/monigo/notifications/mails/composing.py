"""The due work that makes mails of occasions, and hands them over to be sent."""

from collections.abc import Sequence
from functools import partial

from monigo.core.ids import CustomerMailId
from monigo.infra.agenda import Entry, Slices, Task
from monigo.infra.db import Transaction
from monigo.infra.mail import Mail, Mailer, MailId
from monigo.notifications.mails import store
from monigo.notifications.mails.links import Subscription, UnsubscribeLinks
from monigo.notifications.mails.rendering import mail_of
from monigo.notifications.mails.rules import address_of, held_back
from monigo.notifications.mails.service import COMPOSING
from monigo.notifications.mails.types import (
    BILLS,
    Content,
    NotSent,
)
from monigo.notifications.mails.wording import content_of
from monigo.notifications.occasions import Circumstances, Occasion, circumstances

# Each is rendered twice and encrypted: a few milliseconds, during which others wait.
SLICE_MAX = 50
_SAMPLE_LINK = "https://example.com/unsubscribe"


def compose_task(mailer: Mailer, links: UnsubscribeLinks) -> Task:
    """Makes the mails whose time has come."""
    return Task(COMPOSING, Slices(partial(_compose, mailer, links), size=SLICE_MAX))


def preview(occasion: Occasion, known: Circumstances) -> tuple[Content, Mail]:
    """What an occasion makes, with a link that stops nothing."""
    recipient = "" if known.customer is None else known.customer.email
    content = content_of(occasion, known)
    url = "" if occasion.type in BILLS else _SAMPLE_LINK
    return content, mail_of(content, known, recipient, unsubscribe_url=url)


async def _compose(
    mailer: Mailer, links: UnsubscribeLinks, tx: Transaction, entries: Sequence[Entry]
) -> tuple[()]:
    waiting = await store.lock_waiting(tx, [entry.subject for entry in entries])
    known = await circumstances(tx, [(mail.customer_id, mail.occasion) for mail in waiting])
    reaches_people = mailer.reaches_people
    addresses = [address_of(one, reaches_people=reaches_people) for one in known]
    suppressed = await store.load_suppressed(tx, set(addresses))
    held: dict[CustomerMailId, NotSent] = {}
    for mail, its, address in zip(waiting, known, addresses, strict=True):
        occasion, why = mail.occasion, suppressed.get(address, frozenset())
        reason = held_back(occasion, its, address, why)
        if reason is None and not mailer.can_write:
            reason = NotSent.SECRET_KEY_MISSING
        if reason is not None:
            held[mail.id] = reason
            continue
        content = content_of(occasion, its)
        locale = content.language.code
        stops = Subscription(tx.org_id, tx.is_test, address, locale)
        url = "" if occasion.type in BILLS else links.url_of(stops)
        made = mail_of(content, its, address, unsubscribe_url=url)
        await mailer.write(tx, made, MailId(mail.id))
        await store.note_made(tx, mail.id, recipient=address, locale=locale, subject=made.subject)
    await store.note_held_back(tx, held)
    return ()
