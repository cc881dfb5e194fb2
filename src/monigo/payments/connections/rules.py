"""Pure rules of connections: which keys and terms are valid, and what answers say of health."""

import re
from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from monigo import people
from monigo.core.errors import invalid
from monigo.core.money import Money
from monigo.payments.connections.types import (
    Connection,
    ConnectionChanges,
    Credentials,
    Health,
    HealthState,
    ModeChanges,
    NewCredentials,
    Purpose,
    Secrets,
    Witness,
)
from monigo.providers import port
from monigo.providers.port import (
    Capabilities,
    Cause,
    Failed,
    FailureCode,
    NeedsAction,
    Outcome,
    Pending,
    ProviderName,
    Reversed,
    Succeeded,
    Unknown,
    Verb,
)

KEY_LENGTH_MAX = 500
CURRENCIES_MAX = 50
CHANNELS_MAX = 20
ERROR_LENGTH_MAX = 500
# What begins something at the provider, and does not follow up what was begun.
STARTS = frozenset({Verb.CHARGE, Verb.CHECKOUT, Verb.TRANSFER, Verb.BULK, Verb.VIRTUAL_ACCOUNT})
# The provider was not reached, or nobody understands what it said.
_LINE_FAULTS = frozenset(
    {
        Cause.TIMED_OUT,
        Cause.CONNECTION_LOST,
        Cause.SERVER_ERROR,
        Cause.RATE_LIMITED,
        Cause.UNREADABLE,
    }
)
_URL = re.compile(r"https?://[^\s/?#@\\]+([/?][^\s#]*)?")
_WITNESSES = frozenset({port.Kind.CHARGE, port.Kind.TRANSFER})


def currencies_of(provider: ProviderName, purpose: Purpose) -> tuple[str, ...]:
    """The currencies that a provider collects somewhere, or pays out somewhere, by code."""
    return tuple(
        currency.code
        for currency in people.countries.currencies()
        for one in currency.providers
        if one.name == provider
        if (one.collects if purpose is Purpose.COLLECT else one.pays_out)
    )


def usual_currencies(capabilities: Capabilities, country: str) -> tuple[str, ...]:
    """What a provider collects for a country's merchants, and what it pays out there."""
    collected = capabilities.collects_in.get(country, frozenset()) | capabilities.collects
    own = {one.currency for one in people.countries.countries() if one.code == country}
    paid_out = own if country in capabilities.pays_out else set[str]()
    return tuple(sorted(collected | paid_out))


def credentials_after(
    capabilities: Capabilities,
    changes: ModeChanges,
    *,
    is_test: bool,
    present: Credentials | None,
    secrets: Secrets | None,
) -> NewCredentials | None:
    """A mode's credentials with the changes; None where it has none and gets none.

    Raises:
        DomainError: invalid, naming the fields of every key that is wrong.
    """
    if present is None and not changes.secret_key:
        if changes.has_any:
            mode = "test" if is_test else "live"
            raise invalid({f"{mode}_secret_key": "is required with what else is sent of this mode"})
        return None
    was = present or Credentials(is_test=is_test, keys_ciphertext=b"")
    known = secrets or Secrets("")
    wanted = NewCredentials(
        secrets=Secrets(
            changes.secret_key or known.secret_key,
            _chosen(changes.webhook_secret, known.webhook),
        ),
        public_key=_chosen(changes.public_key, was.public_key),
        contract_code=_chosen(changes.contract_code, was.contract_code),
        source_account_number=_chosen(changes.source_account_number, was.source_account_number),
    )
    faults = key_faults(capabilities, wanted, is_test=is_test)
    if faults:
        raise invalid(faults)
    return wanted


def _chosen(changed: str | None, present: str) -> str:
    return present if changed is None else changed


def key_faults(
    capabilities: Capabilities, wanted: NewCredentials, *, is_test: bool
) -> dict[str, str]:
    """What is wrong with a mode's keys, by field."""
    mode = "test" if is_test else "live"
    secret_field, public_field = f"{mode}_secret_key", f"{mode}_public_key"
    given = {secret_field: wanted.secrets.secret_key, public_field: wanted.public_key}
    faults = {
        name: fault
        for name, key in given.items()
        if (fault := _fault_of_text(key) or _fault_of_mode(capabilities, key, is_test=is_test))
    }
    # The key that reveals the mode; what it begins with is the provider's own.
    marked = public_field if capabilities.is_marked_by_public_key else secret_field
    start = capabilities.test_key if is_test else capabilities.live_key
    if marked not in faults and not given[marked].startswith(start):
        faults[marked] = f"must be a {mode} key of {capabilities.title}, which begins with {start}"
    return faults


def _fault_of_text(key: str) -> str | None:
    if len(key) > KEY_LENGTH_MAX:
        return f"must have at most {KEY_LENGTH_MAX} characters"
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        return "must be printable characters of ASCII, without spaces"
    return None


def _fault_of_mode(capabilities: Capabilities, key: str, *, is_test: bool) -> str | None:
    live = (capabilities.live_key, capabilities.live_public_key)
    test = (capabilities.test_key, capabilities.test_public_key)
    others = live if is_test else test
    if any(start and key.startswith(start) for start in others):
        return "is a live key" if is_test else "is a test key"
    return None


def connection_after(
    connection: Connection, changes: ConnectionChanges, *, now: datetime
) -> Connection:
    """A connection with the changes of its terms.

    Raises:
        DomainError: invalid, naming every field at fault.
    """
    names = ("label", "is_test_mode", "supported_currencies", "channels", "fee_bearer")
    more = ("provider_options", "forward_url")
    changed = {
        name: value for name in (*names, *more) if (value := getattr(changes, name)) is not None
    }
    after = replace(connection, **changed, updated_at=now)
    faults = _term_faults(after, changes.default_for or {})
    if faults:
        raise invalid(faults)
    return after


def _term_faults(
    connection: Connection, default_for: Mapping[Purpose, tuple[str, ...]]
) -> dict[str, str]:
    faults: dict[str, str] = {}
    known = {purpose: currencies_of(connection.provider, purpose) for purpose in Purpose}
    every = {code for codes in known.values() for code in codes}
    wanted = connection.supported_currencies
    unknown = sorted({*wanted} - every)
    if not wanted or len(wanted) > CURRENCIES_MAX:
        faults["supported_currencies"] = f"must have 1 to {CURRENCIES_MAX} currencies"
    elif unknown:
        faults["supported_currencies"] = f"{connection.provider} has no {', '.join(unknown)}"
    for purpose, codes in default_for.items():
        missing = sorted({*codes} - ({*known[purpose]} & {*wanted}))
        if missing:
            faults[f"default_for.{purpose}"] = f"the connection has no {', '.join(missing)}"
    if len(connection.channels) > CHANNELS_MAX:
        faults["channels"] = f"must have at most {CHANNELS_MAX} channels"
    if connection.forward_url and not _URL.fullmatch(connection.forward_url):
        faults["forward_url"] = "must be a URL that begins with https:// or http://"
    return faults


def offers(connection: Connection, *, is_test: bool, purpose: Purpose, currency: str) -> bool:
    """Whether a connection can be used for something new: to collect a currency, or to pay it out.

    Monnify needs its contract's code for one and a wallet's number for the other.
    """
    credentials = connection.credentials.get(is_test)
    if credentials is None or not connection.is_enabled:
        return False
    if currency not in connection.supported_currencies:
        return False
    if currency not in currencies_of(connection.provider, purpose):
        return False
    if connection.provider is not ProviderName.MONNIFY:
        return True
    is_collecting = purpose is Purpose.COLLECT
    return bool(credentials.contract_code if is_collecting else credentials.source_account_number)


def signing_secrets(capabilities: Capabilities, secrets: Secrets) -> tuple[str, ...]:
    """By what webhooks are verified: a secret of their own, and the key where that signs."""
    key = secrets.secret_key if capabilities.is_signed_by_key else ""
    return tuple(dict.fromkeys(one for one in (secrets.webhook, key) if one))


def previous_secrets(
    capabilities: Capabilities, before: Secrets, after: Secrets
) -> tuple[str, ...] | None:
    """The secrets that verify no new webhooks; None where all of them still do."""
    present = signing_secrets(capabilities, after)
    replaced = tuple(one for one in signing_secrets(capabilities, before) if one not in present)
    return replaced or None


def needs_trial(present: Credentials | None, changes: ModeChanges) -> bool:
    """Whether keys, or what requests need beside them, are new to the provider."""
    changed = (
        changes.secret_key,
        changes.public_key,
        changes.contract_code,
        changes.source_account_number,
    )
    return present is None or any(one is not None for one in changed)


def trial_of(provider: ProviderName, wanted: NewCredentials) -> port.Intent:
    """What a provider is asked to find out whether it knows keys; it changes nothing there.

    Monnify has a balance of a wallet only, whose number may be unknown.
    """
    if provider is ProviderName.MONNIFY and not wanted.source_account_number:
        return port.Banks(country="NG", currency="NGN")
    return port.Balance()


def witness_lookup(witness: Witness) -> port.Intent:
    """How a payment is asked about that was made with other keys."""
    return port.Lookup(kind=witness.kind, reference=witness.reference)


def is_other_account(
    provider: ProviderName,
    present: Credentials,
    wanted: NewCredentials,
    looked_up: Outcome | None,
) -> bool:
    """Whether nothing proves that new keys are of the same account as those before.

    A payment that was made with those before is found by keys of the same account only. Monnify's
    public keys name the account.
    """
    if looked_up is not None:
        return isinstance(looked_up, Unknown)
    is_named = provider is ProviderName.MONNIFY
    return not (is_named and present.public_key == wanted.public_key)


def line_fault(outcome: Outcome) -> str | None:
    """Why a provider could not be asked, or its answer not be read; None where it answered."""
    match outcome:
        case Unknown() if outcome.cause in _LINE_FAULTS:
            return f"{outcome.cause}: {outcome.detail}".removesuffix(": ")
        case Failed() if outcome.code is FailureCode.NOT_SENT:
            return outcome.reason or outcome.code
        case _:
            return None


def is_refusing_keys(outcome: Outcome) -> bool:
    """Whether the provider does not know the keys."""
    return isinstance(outcome, Failed) and outcome.code is FailureCode.UNAUTHORIZED


def health_after(intent: port.Intent, outcome: Outcome, now: datetime) -> Health:
    """What an outcome says of health; what it says nothing of is left at its default."""
    fault = line_fault(outcome)
    if fault is not None or is_refusing_keys(outcome):
        reason = fault or getattr(outcome, "reason", "")
        return Health(
            state=HealthState.FAILING if fault is not None else HealthState.UNAUTHORIZED,
            last_error=(reason or "refused")[:ERROR_LENGTH_MAX],
            last_error_at=now,
        )
    balance = None
    if isinstance(intent, port.Balance) and isinstance(outcome, Succeeded):
        result = outcome.result if isinstance(outcome.result, tuple) else ()
        balance = tuple(one for one in result if isinstance(one, Money))
    return Health(
        state=HealthState.HEALTHY,
        last_success_at=now,
        otp_on=_otp_on(intent, outcome),
        balance=balance,
        balance_at=None if balance is None else now,
    )


def _otp_on(intent: port.Intent, outcome: Outcome) -> bool | None:
    """Whether payouts wait for a one-time password; None where that can't be seen."""
    if isinstance(intent, port.Bulk) and isinstance(outcome, Succeeded):
        result = outcome.result
        made = list(result.outcomes.values()) if isinstance(result, port.Batch) else []
        seen = {one for each in made if (one := _waits_for_otp(each)) is not None}
        return None if not seen else True in seen
    return _waits_for_otp(outcome) if isinstance(intent, port.Transfer) else None


def _waits_for_otp(outcome: Outcome) -> bool | None:
    match outcome:
        case NeedsAction():
            return True if outcome.needs_otp else None
        case Succeeded() | Pending():
            return False
        case _:
            return None


def witness_of(outcome: Outcome) -> Witness | None:
    """The payment that proves whose keys they are, where the outcome is of one that was made."""
    fact = outcome.fact if isinstance(outcome, Succeeded | Reversed) else None
    if fact is None or fact.kind not in _WITNESSES or not fact.reference:
        return None
    return Witness(fact.kind, fact.reference)
