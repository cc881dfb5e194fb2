"""Secrets that the installation makes for itself, kept in the data directory."""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from monigo.infra.settings import Settings


def app_password(settings: Settings, owner_url: str) -> str | None:
    """The application role's password, or None to derive it from the owner's.

    Where the owner has none to derive it from (the server trusts the connection or asks for a
    certificate), a random one is kept in the data directory.
    """
    if settings.app_password is not None:
        return settings.app_password.get_secret_value()
    if urlsplit(owner_url).password:
        return None
    return kept_secret(settings.data_dir / "app.password")


def kept_secret(path: Path) -> str:
    """The random secret in a file that only its owner can read; made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        secret = secrets.token_urlsafe(32)
        file.write(secret)
    return secret


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    draft.replace(path)
