"""Configuration from `MONIGO_…` environment variables."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = IPv4Network | IPv6Network


class Settings(BaseSettings):
    """Everything an operator can set; each field's variable is its name with `MONIGO_` before."""

    model_config = SettingsConfigDict(
        env_prefix="MONIGO_", env_ignore_empty=True, populate_by_name=True
    )

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on")
    data_dir: Path = Field(
        default=Path(".monigo"), description="embedded database and credentials.json"
    )
    database_url: SecretStr | None = Field(
        default=None, description="owner's libpq URL; unset: an embedded PostgreSQL"
    )
    app_database_url: SecretStr | None = Field(
        default=None, description="the application's URL, all that `api` and `worker` are given"
    )
    app_password: SecretStr | None = Field(
        default=None,
        description="password of the role monigo_app; unset: derived from the owner's password",
    )
    pool_size: int = Field(default=10, ge=2, le=200, description="database connections a process")
    demo_data: bool = Field(default=True, description="fill an empty database with an example")
    cors_origins: list[str] = Field(
        default=["*"],
        # The second name is that of a version which opened the portal's routes only.
        validation_alias=AliasChoices("MONIGO_CORS_ORIGINS", "MONIGO_PORTAL_ORIGINS"),
        description="web origins whose pages may call the API (CORS), always without cookies",
    )
    connections_per_address: int = Field(
        default=256, ge=1, le=100_000, description="connections that one client address may open"
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(),
        description="addresses or networks of your proxies, separated by commas: their"
        " X-Forwarded-For says which client address a request counts for",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="bearer token for /metrics; unset: only this machine reads them, directly",
    )
    fold_lag_seconds_max: int = Field(
        default=900,
        ge=1,
        description="/readyz fails while ingested events wait longer to be added up",
    )
    log_format: str | None = Field(
        default=None, pattern="^(json|text)$", description="unset: text on a terminal, else json"
    )
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        return tuple(ip_network(text.strip()) for text in given.split(",") if text.strip())
