"""Use cases that change a second factor; the person gets a mail about each."""

from collections.abc import Mapping
from typing import Any

from monigo.core.ids import PasskeyId
from monigo.infra.db import Transaction
from monigo.people import accounts, second_factor
from monigo.people.accounts import Change
from monigo.people.second_factor import AddedPasskey
from monigo.people.service import People
from monigo.people.sessions import Claims


async def confirm_app(people: People, tx: Transaction, claims: Claims, code: str) -> list[str]:
    """Require an authenticator app's codes from now on; returns the recovery codes, shown once.

    Raises:
        DomainError: as `second_factor.confirm`.
    """
    codes = await second_factor.confirm(tx, people.vault, claims, code)
    await accounts.mail_second_factor_change(people, tx, claims.user_id, Change.APP)
    return codes


async def add_passkey(
    people: People, tx: Transaction, claims: Claims, name: str, presented: Mapping[str, Any]
) -> AddedPasskey:
    """Have a passkey asked for from now on.

    Raises:
        DomainError: as `second_factor.passkeys.add`.
    """
    added = await second_factor.passkeys.add(
        tx, people.vault, people.site, claims, name=name, presented=presented
    )
    await accounts.mail_second_factor_change(people, tx, claims.user_id, Change.PASSKEY_ADDED)
    return added


async def remove_passkey(
    people: People, tx: Transaction, claims: Claims, passkey_id: PasskeyId
) -> None:
    """Have a passkey count no more.

    Raises:
        DomainError: as `second_factor.passkeys.remove`.
    """
    await second_factor.passkeys.remove(tx, claims, passkey_id)
    await accounts.mail_second_factor_change(people, tx, claims.user_id, Change.PASSKEY_REMOVED)
