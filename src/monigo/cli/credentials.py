"""credentials.json: what a newcomer needs to make the first request."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from monigo import tenancy
from monigo.bootstrap import Services
from monigo.cli.demo import fill_with_demo
from monigo.core.errors import ensure
from monigo.core.ids import OrganizationId
from monigo.infra.crypto import write_private
from monigo.infra.waiting import until_available

FILE_NAME = "credentials.json"


class Credentials(Struct, frozen=True):
    """The file's content.

    `email` and `password` are null until people can sign in, `simulator_url` until there is one.
    """

    base_url: str
    org_id: str
    test_api_key: str
    live_api_key: str
    email: str | None
    password: str | None
    database_url: str
    simulator_url: str | None


async def provide_credentials(services: Services, owner_url: str, base_url: str) -> Credentials:
    """Write the file with keys that work, making a demo organisation in an empty database.

    Each step goes on where the database was away before.
    """
    path = services.settings.data_dir / FILE_NAME
    kept = await until_available(lambda: _still_known(services, _read(path)))
    if kept is None:
        kept = await _issue(services)
    credentials = Credentials(
        base_url=base_url,
        email=None,
        password=None,
        database_url=owner_url,
        simulator_url=None,
        **kept,
    )
    write_private(path, json.dumps(asdict(credentials), indent=2) + "\n")
    return credentials


def _read(path: Path) -> dict[str, str]:
    """The organisation and keys of the present file; nothing when it is missing or damaged."""
    try:
        present: dict[str, Any] = json.loads(path.read_text())
        return {name: str(present[name]) for name in ("org_id", "test_api_key", "live_api_key")}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


async def _still_known(services: Services, kept: dict[str, str]) -> dict[str, str] | None:
    """What was kept, if this database knows the keys."""
    for name in ("test_api_key", "live_api_key"):
        reference = await services.keys.find(kept.get(name, ""))
        if reference is None or str(reference.tenant.org_id) != kept["org_id"]:
            return None
    return kept


async def _issue(services: Services) -> dict[str, str]:
    """New keys: for the demo in an empty database, else for the oldest organisation."""
    was_empty = not await until_available(services.database.organization_ids)
    org_id = await until_available(lambda: _oldest_or_new(services))
    keys = {
        mode: await until_available(partial(_key, services, org_id, is_test_mode=mode == "test"))
        for mode in ("test", "live")
    }
    if was_empty and services.settings.demo_data:
        caller = await until_available(lambda: services.keys.find(keys["test"]))
        ensure(caller, "a key that was just issued is known")
        await fill_with_demo(services, caller)  # pyright: ignore[reportArgumentType] - ensured
    return {
        "org_id": str(org_id),
        "test_api_key": keys["test"],
        "live_api_key": keys["live"],
    }


async def _oldest_or_new(services: Services) -> OrganizationId:
    """The oldest organisation; where there is none, the first."""
    organizations = await services.database.organization_ids()
    if organizations:
        return organizations[0]
    name = "Demo" if services.settings.demo_data else "My organisation"
    return (await tenancy.create_organization(services.database, name)).id


async def _key(services: Services, org_id: OrganizationId, *, is_test_mode: bool) -> str:
    issued = await tenancy.issue_key(
        services.database, org_id, name="credentials.json", is_test_mode=is_test_mode
    )
    return issued.secret
