"""The organisation on the wire: derived from the groups of its settings."""

from decimal import Decimal
from typing import Annotated, Any, Self, cast

from msgspec import defstruct
from pydantic import Field, WithJsonSchema, create_model

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import (
    WHOLE_DIGITS_MAX,
    AmountOrZero,
    Incoming,
    LongWhole,
    Name,
    RateIn,
    Whole,
)
from monigo.api.kernel.wire.outgoing import Instant, Money, Outgoing, RateNumber
from monigo.core.ids import OrganizationId
from monigo.core.money import format_money
from monigo.infra import json
from monigo.tenancy import SETTINGS, Organization, Setting


def _sent(setting: Setting) -> tuple[Any, Any]:
    """How a setting is sent.

    Its bounds are checked with the organisation's other rules, so that one answer names all faults.
    """
    number = AmountOrZero if setting.is_amount else RateIn
    items = list[Whole] if setting.item is int else list[Name]
    kinds: dict[type, Any] = {str: Name, bool: bool, Decimal: number, tuple: items}
    kind = _whole(setting) if setting.kind is int else kinds[setting.kind]
    examples = list(setting.examples) if setting.kind in {str, tuple} or setting.is_amount else None
    return kind | None, Field(
        default=None, description=setting.description or None, examples=examples
    )


def _whole(setting: Setting) -> Any:
    least, most = setting.least, setting.most
    kind = LongWhole if most is None or most >= 10**WHOLE_DIGITS_MAX else Whole
    documented = {"type": "integer", "minimum": least, "maximum": most}
    return Annotated[kind, WithJsonSchema(documented)]


def _shown(setting: Setting) -> Any:
    """How a setting is shown."""
    kinds: dict[type, Any] = {
        Decimal: Money if setting.is_amount else RateNumber,
        tuple: list[int] if setting.item is int else list[str],
    }
    kind = kinds.get(setting.kind, setting.kind)
    return kind | None if setting.is_optional else kind


def _written(setting: Setting, value: Any) -> Any:
    if not isinstance(value, Decimal):
        return value
    return format_money(value) if setting.is_amount else json.exact_floats(value)


_fields: dict[str, Any] = {setting.name: _sent(setting) for setting in SETTINGS.values()}
_SettingsIn = create_model("_SettingsIn", __base__=Incoming, **_fields)


class OrganizationIn(_SettingsIn):
    """Settings to change; what is not sent stays as it is."""

    name: Name | None = Field(default=None, examples=["Lagos Rides"])
    country: Name | None = Field(default=None, examples=["NG"])

    def changes(self) -> dict[str, Any]:
        """What is to be changed; where none is a value of its own, an explicit null is sent."""
        sent = self.given(*type(self).model_fields)
        for setting in SETTINGS.values():
            if setting.is_optional and setting.name in self.model_fields_set:
                sent[setting.name] = getattr(self, setting.name)
            elif setting.kind is tuple and setting.name in sent:
                sent[setting.name] = tuple(sent[setting.name])
        return sent


class _OwnOut(Outgoing, frozen=True):
    id: OrganizationId
    name: str
    country: str


_SettingsOut = cast(
    "type[_OwnOut]",
    defstruct(
        "_SettingsOut",
        [(setting.name, _shown(setting)) for setting in SETTINGS.values()],
        bases=(_OwnOut,),
        frozen=True,
    ),
)


class OrganizationOut(_SettingsOut, frozen=True):
    """An organisation and its settings. Rates are percentages."""

    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, organization: Organization) -> Self:
        """The wire form."""
        own = ("id", "name", "country", "created_at", "updated_at")
        settings = {
            setting.name: getattr(getattr(organization, setting.group), setting.name)
            for setting in SETTINGS.values()
        }
        shown = {name: _written(SETTINGS[name], value) for name, value in settings.items()}
        return cls(**{name: getattr(organization, name) for name in own}, **shown)


ORGANIZATION = Changes(
    "organization",
    Organization,
    lambda _tx, organization: OrganizationOut.of(organization),
    is_of_mode=False,
)


class OrganizationEnvelope(Outgoing, frozen=True):
    """One organisation."""

    organization: OrganizationOut

    @classmethod
    def of(cls, organization: Organization) -> Self:
        """The wire form."""
        return cls(organization=OrganizationOut.of(organization))
