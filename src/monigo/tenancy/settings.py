"""The settings of an organisation, in groups. Pure: the one place where a setting is written.

A group is a struct, and a column of JSON beside the organisation's name. A field's type defines
which values are valid; its default applies to new organisations, and to those stored before the
setting existed. Store and API, with its documentation and bounds, are derived from these structs.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Struct, inspect, json

from monigo.core.rate import PER_SECOND_MAX

CURRENCIES_MAX = 50
RATE_PLACES = 4

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


# Raise ValidationError, a fault of ours, for what is not such a group.
read_billing = json.Decoder(BillingSettings).decode
read_retention = json.Decoder(RetentionSettings).decode
read_limits = json.Decoder(LimitSettings).decode
read_access = json.Decoder(AccessSettings).decode

# By their columns.
GROUPS: Mapping[str, type[Struct]] = {
    "billing": BillingSettings,
    "retention": RetentionSettings,
    "limits": LimitSettings,
    "access": AccessSettings,
}


class Setting(Struct, frozen=True):
    """One setting, as its field declares it. None is a value of its own where it is optional.

    A Decimal is a percentage, or money where `is_amount` says so.
    """

    name: str
    group: str
    kind: type
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
