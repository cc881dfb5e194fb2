"""Configuration from `MONIGO_…` environment variables."""

import re
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

# Random ones hold 256 bits in 43 characters; nobody types these.
SECRET_KEY_LENGTH_MIN = 32

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
    secret_key: SecretStr | None = Field(
        default=None,
        description="under which secrets are sealed, 32 characters or more; several by commas, the"
        " present one first; unset with the embedded database: made, and kept beside it",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#\s]+$",
        description="where people reach this installation, for links in mails; unset: localhost",
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="smtp://user:password@host:port; smtps:// for TLS from the start; unset:"
        " mails are written to files in the data directory",
    )
    mail_from: str = Field(default="Monigo <no-reply@localhost>", description="sender of mails")
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
    forward_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(),
        description="private networks, separated by commas, that providers' events may be forwarded"
        " to, also by http; unset: public addresses by https only",
    )
    webhooks_allow_private: bool = Field(
        default=False,
        description="webhooks may go to this machine and to private networks, also by http; for"
        " development",
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
    simulator: bool = Field(
        default=True,
        description="`serve` simulates payment providers, to which test mode is connected",
    )
    simulator_port: int = Field(
        default=8010, ge=0, le=65535, description="port of the simulator, on this machine only"
    )
    simulator_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#\s]+$",
        description="a running simulator, which stands for the providers' test modes; `serve`"
        " starts its own",
    )
    provider_urls: dict[str, str] = Field(
        default={},
        description="other addresses of payment providers, as JSON by provider and mode:"
        ' {"monnify.test": "https://…"}',
    )
    provider_requests_at_once: int = Field(
        default=128,
        ge=2,
        le=1_000,
        description="requests to one payment provider under way at once in a process; one"
        " connection has half of them",
    )
    whatsapp_url: str = Field(
        default="https://graph.facebook.com/v24.0",
        pattern=r"^https?://[^/?#\s]+/[^?#\s]+$",
        description="WhatsApp's Cloud API with its version; Meta ends each after two years",
    )
    log_format: str | None = Field(
        default=None, pattern="^(json|text)$", description="unset: text on a terminal, else json"
    )
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            for text in given.get_secret_value().split(","):
                if len(text.strip()) < SECRET_KEY_LENGTH_MIN:
                    raise ValueError(f"must have at least {SECRET_KEY_LENGTH_MIN} characters")
        return given

    @field_validator("provider_urls")
    @classmethod
    def _of_known_providers(cls, given: dict[str, str]) -> dict[str, str]:
        for name, url in given.items():
            if not re.fullmatch(r"[a-z]+\.(test|live)", name):
                raise ValueError("must have names such as paystack.test")
            if not re.match(r"https?://[^/?#\s]", url):
                raise ValueError(f"{name} must be a URL")
        return given

    @field_validator("smtp_url")
    @classmethod
    def _of_a_mail_server(cls, given: SecretStr | None) -> SecretStr | None:
        parts = None if given is None else urlsplit(given.get_secret_value())
        if parts is not None and (parts.scheme not in {"smtp", "smtps"} or not parts.hostname):
            raise ValueError("must be smtp://host:port or smtps://host:port")
        return given

    @field_validator("mail_from")
    @classmethod
    def _of_one_sender(cls, given: str) -> str:
        _, address = parseaddr(given)
        if not given.isprintable() or not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise ValueError("must be an address, or a name and <an address>")
        return given

    @field_validator("trusted_proxies", "forward_networks", mode="before")
    @classmethod
    def _networks(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        return tuple(ip_network(text.strip()) for text in given.split(",") if text.strip())


def public_url_of(settings: Settings) -> str:
    """Where people reach this installation, without a slash at the end."""
    return settings.public_url or f"http://localhost:{settings.port}"
