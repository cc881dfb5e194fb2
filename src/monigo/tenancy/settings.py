"""The settings of an organisation, in groups. Pure: the one place where a setting is written.

A group is a struct, and a column of JSON beside the organisation's name. A field's type defines
which values are valid; its default applies to new organisations, and to those stored before the
setting existed. Store and API, with its documentation and bounds, are derived from these structs.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta, Struct, inspect, json

from monigo.core.rate import PER_SECOND_MAX

CURRENCIES_MAX = 50
# Of a list of days: how many, and the last of them.
DAYS_MAX = 20
LAST_DAY_MAX = 365
RATE_PLACES = 4
# Of a sender's name: what mail programs show of it.
SENDER_NAME_LENGTH_MAX = 100

# Bounds of a Decimal are not looked at when it is decoded, but by `rules.checked`.
Percentage = Annotated[
    Decimal, Meta(extra={"least": 0, "most": 100}, extra_json_schema={"examples": [7.5]})
]
# Money, which is no percentage. Far below what the ledger holds.
AmountOfMoney = Annotated[
    Decimal,
    Meta(
        extra={"least": 0, "most": 10**15, "is_amount": True},
        extra_json_schema={"examples": ["50000.000000"]},
    ),
]

# Whether payouts wait for somebody; which ones there are is looked at by `rules.checked`.
APPROVAL, AUTOMATIC = "approval", "automatic"
PAYOUT_MODES = (APPROVAL, AUTOMATIC)


class MailType(StrEnum):
    """The mails to customers, by what they are about."""

    INVOICE_FINALIZED = "invoice_finalized"
    INVOICE_OVERDUE = "invoice_overdue"
    RECEIPT = "receipt"
    PAYMENT_FAILED = "payment_failed"
    CARD_EXPIRING = "card_expiring"
    PAYOUT_SENT = "payout_sent"
    BALANCE_LOW = "balance_low"


# Ascending, which is not looked at when they are decoded, but by `rules.checked`.
Days = tuple[int, ...]


class BillingSettings(Struct, frozen=True):
    """What an organisation's customers are billed by. Rates are percentages."""

    timezone: Annotated[str, Meta(examples=["Africa/Lagos"])] = "UTC"
    default_currency: Annotated[str, Meta(examples=["NGN"])] = "NGN"
    available_currencies: Annotated[tuple[str, ...], Meta(examples=[["NGN", "KES"]])] = ("NGN",)
    vat_enabled: bool = False
    vat_rate: Percentage = Decimal("7.5")
    wht_enabled: bool = False
    wht_rate: Percentage = Decimal(5)
    event_ingestion_grace_period_hours: Annotated[int, Meta(ge=0, le=720)] = 0
    repeated_trials_enabled: Annotated[
        bool,
        Meta(
            description="a customer gets a plan's trial on each subscription to it, instead of once"
        ),
    ] = False


class RetentionSettings(Struct, frozen=True):
    """How long an organisation's data is kept."""

    # Longer than the age at which an event may still come in (90 days), and its fold.
    raw_event_retention_days: Annotated[
        Annotated[int, Meta(ge=100, le=36_500)] | None,
        Meta(
            description="how long events keep their properties, if no open period or draft of the"
            " last 90 days needs them; null: for ever"
        ),
    ] = None


class LimitSettings(Struct, frozen=True):
    """How much an organisation may send, None being as much as it likes, and its members give."""

    requests_per_second_max: Annotated[
        Annotated[int, Meta(ge=1, le=PER_SECOND_MAX)] | None,
        Meta(description="of one API key to one process; null: no limit"),
    ] = None
    # Beyond what could be counted; larger numbers are no longer exact in every JSON parser.
    monthly_event_quota: Annotated[
        Annotated[int, Meta(ge=0, le=10**15)] | None,
        Meta(description="events of one mode in a calendar month, UTC; null: no limit"),
    ] = None
    member_credit_limit: Annotated[
        AmountOfMoney,
        Meta(
            description="how much one member may credit to wallets of the default currency in a day"
            " of the organisation's zone, in each mode; 0: members may not"
        ),
    ] = Decimal(0)


class AccessSettings(Struct, frozen=True):
    """Which people may act for an organisation."""

    require_second_factor: Annotated[
        bool,
        Meta(
            description="people without an authenticator app or a passkey are refused (403"
            " `second_factor_required`); API keys are not asked"
        ),
    ] = False


class CollectionSettings(Struct, frozen=True):
    """How what customers owe is collected. Days are whole ones."""

    payment_terms_days: Annotated[
        Annotated[int, Meta(ge=0, le=365)],
        Meta(
            description="an invoice is due so many days after it was finalized; 0: as that day ends"
        ),
    ] = 0
    dunning_days: Annotated[
        Days,
        Meta(
            description="when a saved method is tried again, in days after the first failure;"
            " after the last of them an invoice is uncollectible",
            examples=[[1, 3, 5, 7]],
        ),
    ] = (1, 3, 5, 7)
    overdue_reminder_days: Annotated[
        Days,
        Meta(
            description="when an unpaid invoice without a saved method is reminded of, in days"
            " after its due date",
            examples=[[0, 3, 7]],
        ),
    ] = (0, 3, 7)
    overdue_suspend_after_days: Annotated[
        Annotated[int, Meta(ge=0, le=365)] | None,
        Meta(
            description="a subscription is suspended so many days after the due date of an unpaid"
            " invoice without a saved method; null: it is not"
        ),
    ] = None
    apply_wallet_to_invoices: Annotated[
        bool,
        Meta(
            description="money that was paid in excess of invoices pays the customer's next"
            " postpaid invoices as they become final"
        ),
    ] = True


class PayoutSettings(Struct, frozen=True):
    """How what is owed to payees is paid out. Amounts are of the default currency."""

    payout_mode: Annotated[
        str,
        Meta(
            description="in live mode: `approval` waits for somebody to initiate each payout,"
            " `automatic` sends what nothing speaks against; only an owner can choose that",
            examples=["approval"],
        ),
    ] = APPROVAL
    test_payout_mode: Annotated[
        str, Meta(description="the same in test mode", examples=["approval"])
    ] = APPROVAL
    minimum_payout_amount: Annotated[
        AmountOfMoney,
        Meta(
            description="less than that waits for the payee's next payout; bills of other"
            " currencies have no minimum"
        ),
    ] = Decimal(0)
    max_payout_per_payee_per_day: Annotated[
        AmountOfMoney | None,
        Meta(
            description="more than that in a day, to one payee, is not sent by itself; with a limit"
            " set, nothing is in another currency; null: no limit"
        ),
    ] = None
    max_payout_batch: Annotated[
        AmountOfMoney | None,
        Meta(
            description="more than that in an hour, to all payees, is not sent by itself; with a"
            " limit set, nothing is in another currency; null: no limit"
        ),
    ] = None


class MailSettings(Struct, frozen=True):
    """Which mails go to customers in the organisation's name. Bounds are checked by `rules`."""

    customer_mails: Annotated[
        tuple[str, ...],
        Meta(
            description="which mails go to customers in live mode: "
            + ", ".join(f"`{one}`" for one in MailType)
            + "; none unless they are named. In test mode all are made, see `mail_test_recipient`",
            examples=[["invoice_finalized", "receipt"]],
        ),
    ] = ()
    mail_sender_name: Annotated[
        str,
        Meta(
            description="the sender's name in mails to customers; empty: the organisation's name",
            examples=["Lagos Rides"],
        ),
    ] = ""
    mail_reply_to: Annotated[
        str,
        Meta(
            description="where customers' answers go; empty: nowhere",
            examples=["billing@example.com"],
        ),
    ] = ""
    mail_test_recipient: Annotated[
        str,
        Meta(
            description="to whom all mails of test mode go, in place of the customers; empty: they"
            " leave this machine to nobody",
            examples=["developer@example.com"],
        ),
    ] = ""
    default_locale: Annotated[
        str,
        Meta(
            description="the language of customers without one of their own, as a BCP 47 tag;"
            " a language that there are no texts in is written in English",
            examples=["en"],
        ),
    ] = "en"


# Raise ValidationError, a fault of ours, for what is not such a group.
read_billing = json.Decoder(BillingSettings).decode
read_retention = json.Decoder(RetentionSettings).decode
read_limits = json.Decoder(LimitSettings).decode
read_access = json.Decoder(AccessSettings).decode
read_collection = json.Decoder(CollectionSettings).decode
read_payouts = json.Decoder(PayoutSettings).decode
read_mails = json.Decoder(MailSettings).decode

# By their columns.
GROUPS: Mapping[str, type[Struct]] = {
    "billing": BillingSettings,
    "retention": RetentionSettings,
    "limits": LimitSettings,
    "access": AccessSettings,
    "collection": CollectionSettings,
    "payouts": PayoutSettings,
    "mails": MailSettings,
}


class Setting(Struct, frozen=True):
    """One setting, as its field declares it. None is a value of its own where it is optional.

    A Decimal is a percentage, or money where `is_amount` says so; `item` is what a tuple is of.
    """

    name: str
    group: str
    kind: type
    item: type | None
    is_optional: bool
    is_amount: bool
    least: int | None
    most: int | None
    description: str
    examples: tuple[Any, ...]


def _settings() -> Iterator[Setting]:
    for group, struct in GROUPS.items():
        described = inspect.type_info(struct)
        assert isinstance(described, inspect.StructType)
        for field in described.fields:
            yield _setting(group, field.name, field.type)


def _setting(group: str, name: str, declared: inspect.Type) -> Setting:
    schema: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    is_optional = False
    kind = declared
    while isinstance(kind, inspect.Metadata | inspect.UnionType):
        if isinstance(kind, inspect.Metadata):
            schema |= kind.extra_json_schema or {}
            extra |= kind.extra or {}
            kind = kind.type
        else:
            is_optional = kind.includes_none
            (kind,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
    return Setting(
        name=name,
        group=group,
        kind=_KINDS[type(kind)],
        item=_KINDS[type(kind.item_type)] if isinstance(kind, inspect.VarTupleType) else None,
        is_optional=is_optional,
        is_amount=extra.get("is_amount", False),
        least=extra.get("least", getattr(kind, "ge", None)),
        most=extra.get("most", getattr(kind, "le", None)),
        description=schema.get("description", ""),
        examples=tuple(schema.get("examples", ())),
    )


_KINDS: Mapping[type[inspect.Type], type] = {
    inspect.StrType: str,
    inspect.BoolType: bool,
    inspect.IntType: int,
    inspect.DecimalType: Decimal,
    inspect.VarTupleType: tuple,
}

SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in _settings()}
