"""Pure: whom WhatsApp reaches, in which words, and what becomes of a message."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import phonenumbers
from msgspec.structs import replace

from monigo.core.errors import invalid
from monigo.notifications.whatsapp.types import (
    Message,
    MessageStatus,
    NewConnection,
    Notice,
    NoticeChanges,
    Settings,
)
from monigo.providers.whatsapp import (
    Accepted,
    Advice,
    NoAnswer,
    NotSent,
    Outcome,
    Refused,
    Status,
    StatusReport,
)
from monigo.tenancy import MailType

# The number of attempts is that of pauses and one more: some two and a half hours.
PAUSES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
)
# Of one recipient who got too many at once: WhatsApp takes one in six seconds, and a few in a row.
PAIR_PAUSE = timedelta(minutes=5)
# What could not be sent for so long is old news, which a mail brings as well.
SENT_WITHIN = timedelta(hours=12)
# A request ends within 25 seconds: one that is older has died with its process.
ANSWERED_WITHIN = timedelta(minutes=1)
# WhatsApp reports within seconds what it took. Then a mail goes out, for a notice that comes twice
# by two ways is better than one that does not come.
CONFIRMED_WITHIN = timedelta(minutes=10)
# And what it took, and has said nothing of for a day, nobody may ever get.
REPORTED_WITHIN = timedelta(hours=24)

LANGUAGES_MAX = 20
TOKEN_LENGTH_MAX = 1_000
SECRET_LENGTH_MAX = 255
VERIFY_TOKEN_LENGTH_MIN = 8
TYPES = frozenset[str](MailType)
_ID = re.compile(r"[0-9]{1,32}")
_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
# A secret is one word, which a header can carry.
_WORD = re.compile(r"[\x21-\x7e]+")

# What people write who want no more, or messages again; in the languages that we have.
STOP_WORDS = frozenset(
    {"stop", "stop all", "unsubscribe", "arret", "arrêt", "parar", "pare", "acha", "sitisha"}
    | {"tsaya", "daina", "duro", "dúró", "إيقاف", "ايقاف", "توقف"}
)
START_WORDS = frozenset(
    {
        "start",
        "unstop",
        "subscribe",
        "reprendre",
        "começar",
        "comecar",
        "anza",
        "fara",
        "bẹ̀rẹ̀",
        "bere",
    }
    | {"ابدأ", "بدء"}
)

# What is known of a message only grows. It may arrive though it was given up as failed.
_RANKS: Mapping[MessageStatus, int] = {
    MessageStatus.WAITING: 0,
    MessageStatus.SENDING: 1,
    MessageStatus.UNKNOWN: 2,
    MessageStatus.ACCEPTED: 3,
    MessageStatus.SENT: 4,
    MessageStatus.FAILED: 5,
    MessageStatus.DELIVERED: 6,
    MessageStatus.READ: 7,
}
_REPORTED: Mapping[Status, MessageStatus] = {
    Status.SENT: MessageStatus.SENT,
    Status.DELIVERED: MessageStatus.DELIVERED,
    Status.READ: MessageStatus.READ,
    Status.FAILED: MessageStatus.FAILED,
}


def check_connection(wanted: NewConnection) -> None:
    """Refuse what can be no number's ids or secrets.

    Raises:
        DomainError: invalid, naming every field at fault.
    """
    faults: dict[str, str] = {}
    for name in ("phone_number_id", "business_account_id"):
        if not _ID.fullmatch(getattr(wanted, name)):
            faults[name] = "must be the id that Meta shows, digits only"
    lengths = {
        "access_token": (1, TOKEN_LENGTH_MAX),
        "app_secret": (1, SECRET_LENGTH_MAX),
        "verify_token": (VERIFY_TOKEN_LENGTH_MIN, SECRET_LENGTH_MAX),
    }
    for name, (least, most) in lengths.items():
        value: str = getattr(wanted.secrets, name)
        if not least <= len(value) <= most or not _WORD.fullmatch(value):
            faults[name] = f"must have {least} to {most} characters, and no spaces"
    if faults:
        raise invalid(faults)


def usual_settings() -> Settings:
    """What goes by WhatsApp unless the merchant says otherwise: nothing."""
    return Settings(
        {one: Notice(enabled=False, template=one.value, languages=("en",)) for one in MailType}
    )


def settings_after(present: Settings, changes: Mapping[str, NoticeChanges]) -> Settings:
    """The settings with changes of some notices.

    Raises:
        DomainError: invalid, naming every field at fault.
    """
    notices = dict(present.notices)
    faults: dict[str, str] = {}
    for name, changed in changes.items():
        if name not in TYPES:
            faults[f"settings.{name}"] = f"must be one of {', '.join(MailType)}"
            continue
        known = notices[MailType(name)]
        wanted = Notice(
            enabled=known.enabled if changed.enabled is None else changed.enabled,
            template=known.template if changed.template is None else changed.template,
            languages=known.languages if changed.languages is None else changed.languages,
        )
        if not _TEMPLATE.fullmatch(wanted.template):
            faults[f"settings.{name}.template"] = (
                "must be a template's name, small letters, digits and underscores"
            )
        if not _are_languages(wanted.languages):
            faults[f"settings.{name}.languages"] = (
                f"must be 1 to {LANGUAGES_MAX} different languages, such as en, fr or pt_BR"
            )
        notices[MailType(name)] = wanted
    if faults:
        raise invalid(faults)
    return Settings(notices)


def _are_languages(given: Sequence[str]) -> bool:
    is_valid = all(_LANGUAGE.fullmatch(one) for one in given)
    return is_valid and 1 <= len(given) <= LANGUAGES_MAX and len({*given}) == len(given)


def phone_of(text: str, country: str) -> str:
    """A phone's digits, the country's code first; empty for what is no phone number.

    A number without a country's code is read as one of the organisation's country.
    """
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")


def language_among(languages: Sequence[str], tag: str) -> str:
    """The language of a template that suits a customer's best; the first where none does."""
    wanted = tag.replace("-", "_")
    code = wanted.partition("_")[0]
    of_code = [one for one in languages if one.partition("_")[0] == code]
    return wanted if wanted in languages else (of_code or list(languages))[0]


def wish_in(text: str) -> bool | None:
    """Whether somebody wants no more messages (True), or messages again (False); None: neither."""
    word = " ".join(text.split()).strip(".!,؛ ").casefold()
    if word in STOP_WORDS:
        return True
    return False if word in START_WORDS else None


def is_later(rank_of: MessageStatus, than: MessageStatus) -> bool:
    """Whether one status says more of a message than another."""
    return _RANKS[rank_of] > _RANKS[than]


def after_outcome(
    message: Message, outcome: Outcome, now: datetime
) -> tuple[Message, datetime | None]:
    """A message after a try to send it, and when it is tried again, if so.

    A report of it may have come before the answer did: what is known of it then stays.
    """
    match outcome:
        case Accepted():
            known = replace(
                message,
                whatsapp_id=message.whatsapp_id or outcome.message_id,
                accepted_at=message.accepted_at or now,
            )
            if not is_later(MessageStatus.ACCEPTED, message.status):
                return known, None
            return replace(known, status=MessageStatus.ACCEPTED), None
        case NoAnswer():
            if message.status is not MessageStatus.SENDING:
                return message, None
            return replace(message, status=MessageStatus.UNKNOWN, reason=outcome.reason), None
        case NotSent():
            return _tried_again(message, None, outcome.reason, Advice.AGAIN, now)
        case Refused():
            return _tried_again(message, outcome.code, outcome.reason, outcome.advice, now)


def _tried_again(
    message: Message, code: int | None, reason: str, advice: Advice, now: datetime
) -> tuple[Message, datetime | None]:
    if message.status is not MessageStatus.SENDING:
        return message, None
    again_at = None
    if advice in {Advice.AGAIN, Advice.AGAIN_LATER} and message.fact_id is not None:
        again_at = _again_at(message, advice, now)
    if again_at is None:
        return failed(message, reason, now, code=code), None
    waiting = replace(
        message, status=MessageStatus.WAITING, sending_at=None, error_code=code, reason=reason
    )
    return waiting, again_at


def _again_at(message: Message, advice: Advice, now: datetime) -> datetime | None:
    if message.attempts > len(PAUSES):
        return None
    pause = PAUSES[message.attempts - 1]
    at = now + (max(pause, PAIR_PAUSE) if advice is Advice.AGAIN_LATER else pause)
    return at if at - message.created_at <= SENT_WITHIN else None


def failed(message: Message, reason: str, now: datetime, *, code: int | None = None) -> Message:
    """A message that does not arrive."""
    return replace(
        message,
        status=MessageStatus.FAILED,
        reason=reason or "no reason given",
        error_code=code,
        failed_at=now,
    )


def after_report(message: Message, report: StatusReport, now: datetime) -> Message:
    """A message after a webhook's word of it; reports come in any order, and more than once.

    Each has its own instant, which is kept; the status is the one that says most.
    """
    status = _REPORTED[report.status]
    at = min(report.at, now)
    known = replace(message, whatsapp_id=message.whatsapp_id or report.message_id)
    field = f"{status.value}_at"
    is_news = is_later(status, message.status)
    if status is MessageStatus.FAILED:
        return failed(known, report.reason, at, code=report.code or None) if is_news else known
    if getattr(message, field) is None:
        known = replace(known, **{field: at})
    if not is_news:
        return known
    return replace(known, status=status, reason="", error_code=None, failed_at=None)


def falls_back(message: Message) -> bool:
    """Whether a mail is to be sent in place of a message that failed, or that nobody answered."""
    return (
        message.fact_id is not None
        and message.fell_back_at is None
        and message.status in {MessageStatus.FAILED, MessageStatus.UNKNOWN, MessageStatus.ACCEPTED}
    )


def look_at(message: Message) -> datetime | None:
    """When to look whether anything was heard of a message; None where nothing is awaited."""
    if message.sending_at is None or message.fact_id is None:
        return None
    if message.status is MessageStatus.UNKNOWN:
        return message.sending_at + CONFIRMED_WITHIN
    if message.status is MessageStatus.ACCEPTED:
        return message.sending_at + REPORTED_WITHIN
    return None
