"""credentials.json: what a newcomer needs to make the first request, and to log in."""

import json
import secrets
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from monigo import people, tenancy
from monigo.bootstrap import Services
from monigo.cli.first_start.demo import fill_with_demo
from monigo.core.access import Role
from monigo.core.errors import ensure
from monigo.core.ids import OrganizationId
from monigo.infra.crypto import write_private
from monigo.infra.db import Tenant
from monigo.infra.ids import new_id
from monigo.infra.waiting import until_available
from monigo.people import NewAccount
from monigo.tenancy import NewOrganization

FILE_NAME = "credentials.json"
# A domain that no mail ever reaches: RFC 2606, 2.
DEMO_EMAIL = "owner@demo.example"
DEMO_NAME = "Demo Owner"
PASSWORD_BYTES = 18

Kept = dict[str, str | None]
KEY_NAMES = ("org_id", "test_api_key", "live_api_key")


class Credentials(Struct, frozen=True):
    """The file's content.

    `email` and `password` are those of the demo's owner, null where there is none; the password is
    the one that was made with it. `simulator_url` is where payment providers are simulated, null
    where they are not.
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
        kept = await _begin(services)
    credentials = Credentials(
        base_url=base_url,
        database_url=owner_url,
        simulator_url=services.settings.simulator_url,
        **_complete(kept),
    )
    write_private(path, json.dumps(asdict(credentials), indent=2) + "\n")
    return credentials


def _read(path: Path) -> Kept:
    """What the present file holds beside addresses; nothing when it is missing or damaged."""
    try:
        present: dict[str, Any] = json.loads(path.read_text())
        owner = {name: present.get(name) for name in ("email", "password")}
        return {name: str(present[name]) for name in KEY_NAMES} | owner
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def _complete(kept: Kept) -> dict[str, Any]:
    return {"email": None, "password": None, **kept}


async def _still_known(services: Services, kept: Kept) -> Kept | None:
    """What was kept, if this database knows the keys."""
    for name in ("test_api_key", "live_api_key"):
        reference = await services.keys.find(kept.get(name) or "")
        if reference is None or str(reference.tenant.org_id) != kept["org_id"]:
            return None
    return kept


async def _begin(services: Services) -> Kept:
    """New keys: for the demo in an empty database, else for the oldest organisation."""
    is_empty = not await until_available(services.database.organization_ids)
    is_demo = is_empty and services.settings.demo_data
    owner = await _found_demo(services) if is_demo else None
    org_id = await until_available(lambda: _oldest_or_new(services))
    keys = {
        mode: await until_available(partial(_key, services, org_id, is_test_mode=mode == "test"))
        for mode in ("test", "live")
    }
    if is_demo:
        caller = await until_available(lambda: services.keys.find(keys["test"]))
        ensure(caller, "a key that was just issued is known")
        await fill_with_demo(services, caller)  # pyright: ignore[reportArgumentType] - ensured
    if owner is None:
        owner = await until_available(lambda: _owner_again(services, org_id))
    return {
        "org_id": str(org_id),
        "test_api_key": keys["test"],
        "live_api_key": keys["live"],
        **owner,
    }


async def _found_demo(services: Services) -> Kept:
    """Make the demo's organisation and its owner, in one transaction; how the owner logs in."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    wanted = NewAccount(DEMO_EMAIL, DEMO_NAME, password)
    prepared = await people.accounts.prepared(services.people, wanted)

    async def found() -> None:
        # What was committed as the database went away is there when it comes back.
        if await services.database.organization_ids():
            return
        demo = Tenant(OrganizationId(new_id()), is_test=False)
        async with services.people.transaction() as tx:
            owner = await people.accounts.insert_user(tx, prepared)
            async with tenancy.bound_to(tx, demo) as own:
                await tenancy.add_organization(own, NewOrganization("Demo"))
                await people.organizations.join(own, owner.id, Role.OWNER)

    await until_available(found)
    return {"email": DEMO_EMAIL, "password": password}


async def _owner_again(services: Services, org_id: OrganizationId) -> Kept:
    """The demo's owner with another password, for who has lost the file, if there is one."""
    async with services.people.transaction() as tx:
        owner = await people.accounts.find(tx, DEMO_EMAIL)
        known = [] if owner is None else await people.organizations.ids_of_person(tx, owner.user.id)
    if org_id not in known:
        return {}
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    await people.accounts.set_password(services.people, DEMO_EMAIL, password)
    return {"email": DEMO_EMAIL, "password": password}


async def _oldest_or_new(services: Services) -> OrganizationId:
    """The oldest organisation; where there is none, the first."""
    organizations = await services.database.organization_ids()
    if organizations:
        return organizations[0]
    return (await tenancy.create_organization(services.database, "My organisation")).id


async def _key(services: Services, org_id: OrganizationId, *, is_test_mode: bool) -> str:
    issued = await tenancy.issue_key(
        services.database, org_id, name="credentials.json", is_test_mode=is_test_mode
    )
    return issued.secret
