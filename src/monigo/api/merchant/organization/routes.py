"""Routes of the organisation's own settings."""

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import Field

from monigo import tenancy
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Incoming, LongWhole, Name, RateIn, Whole
from monigo.api.kernel.wire.outgoing import Instant, Outgoing, RateNumber
from monigo.core.ids import OrganizationId
from monigo.core.permissions import Permission
from monigo.infra import json
from monigo.tenancy import Organization

LIMITS = frozenset({"raw_event_retention_days", "requests_per_second_max", "monthly_event_quota"})

router = APIRouter(route_class=TenantRoute, tags=["organization"])


class OrganizationIn(Incoming):
    """Settings to change; what is not sent stays as it is."""

    name: Name | None = Field(default=None, examples=["Lagos Rides"])
    country: Name | None = Field(default=None, examples=["NG"])
    timezone: Name | None = Field(default=None, examples=["Africa/Lagos"])
    default_currency: Name | None = Field(default=None, examples=["NGN"])
    available_currencies: Annotated[list[Name] | None, Field(examples=[["NGN", "KES"]])] = None
    vat_enabled: bool | None = None
    vat_rate: RateIn | None = None
    wht_enabled: bool | None = None
    wht_rate: RateIn | None = None
    event_ingestion_grace_period_hours: Whole | None = Field(default=None, ge=0, le=720)
    repeated_trials_enabled: bool | None = Field(
        default=None,
        description="a customer gets a plan's trial on each subscription to it, instead of once",
    )
    raw_event_retention_days: Whole | None = Field(
        default=None,
        ge=100,
        le=36_500,
        description="how long events keep their properties, if no open period or draft of the last"
        " 90 days needs them; null: for ever",
    )
    requests_per_second_max: Whole | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="of one API key to one process; null: no limit",
    )
    monthly_event_quota: LongWhole | None = Field(
        default=None,
        ge=0,
        le=10**15,
        description="events of one mode in a calendar month, UTC; null: no limit",
    )


class OrganizationOut(Outgoing, frozen=True):
    """An organisation and its settings. Rates are percentages."""

    id: OrganizationId
    name: str
    country: str
    timezone: str
    default_currency: str
    available_currencies: list[str]
    vat_enabled: bool
    vat_rate: RateNumber
    wht_enabled: bool
    wht_rate: RateNumber
    event_ingestion_grace_period_hours: int
    repeated_trials_enabled: bool
    raw_event_retention_days: int | None
    requests_per_second_max: int | None
    monthly_event_quota: int | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, organization: Organization) -> Self:
        """The wire form."""
        fields = {name: getattr(organization, name) for name in cls.__struct_fields__}
        rates = {name: json.exact_floats(fields[name]) for name in ("vat_rate", "wht_rate")}
        return cls(**fields | rates)


class OrganizationEnvelope(Outgoing, frozen=True):
    """One organisation."""

    organization: OrganizationOut

    @classmethod
    def of(cls, organization: Organization) -> Self:
        """The wire form."""
        return cls(organization=OrganizationOut.of(organization))


@router.get("/organization")
@atomic(Permission.ORGANIZATION_READ)
async def get_organization(tx: Tx) -> OrganizationEnvelope:
    """Read the settings of the key's organisation."""
    return OrganizationEnvelope.of(await tenancy.get_organization(tx))


@router.patch("/organization")
@atomic(Permission.ORGANIZATION_WRITE)
async def update_organization(tx: Tx, body: OrganizationIn) -> OrganizationEnvelope:
    """Change what is sent. Subscriptions keep the time zone that they began with."""
    changes = body.given(*OrganizationIn.model_fields)
    # No limit is a value of its own, so here an explicit null counts as sent.
    changes |= {name: getattr(body, name) for name in LIMITS & body.model_fields_set}
    if "available_currencies" in changes:
        changes["available_currencies"] = tuple(changes["available_currencies"])
    return OrganizationEnvelope.of(await tenancy.update_organization(tx, changes))
