"""Repeats: what a body's `idempotency_key` is known by, and what its first use was answered."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from monigo.core.errors import DomainError, conflict
from monigo.core.money import format_money
from monigo.infra import json
from monigo.ledger import KeptRequest
from monigo.wallets.types import Wallet, WalletStatus


def content_hash(operation: str, content: Mapping[str, Any]) -> bytes:
    """What a request asks, as a fingerprint; amounts are compared as amounts, not as texts."""
    return hashlib.sha256(json.canonical({"operation": operation, **content})).digest()


def check_same(kept: KeptRequest, content: bytes) -> None:
    """Whether a repeat asks what was asked the first time.

    Raises:
        DomainError: conflict.
    """
    if kept.content_hash != content:
        raise reused()


def reused() -> DomainError:
    """The refusal of a key that was used for something else."""
    return conflict(
        "idempotency_key_reused", "this idempotency_key was used in this wallet with other content"
    )


def wallet_facts(wallet: Wallet) -> dict[str, Any]:
    """What changes of a wallet; stored, so that a repeat is answered the same."""
    return {
        "balance": format_money(wallet.balance),
        "reserved_balance": format_money(wallet.reserved_balance),
        "status": wallet.status.value,
        "updated_at": wallet.updated_at.isoformat(),
    }


def wallet_then(wallet: Wallet, facts: Mapping[str, str]) -> Wallet:
    """The wallet as of these stored facts."""
    return replace(
        wallet,
        balance=Decimal(facts["balance"]),
        reserved_balance=Decimal(facts["reserved_balance"]),
        status=WalletStatus(facts["status"]),
        updated_at=datetime.fromisoformat(facts["updated_at"]),
    )
