"""The commands. Each prints what it did on standard output; logs go to standard error."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from monigo import tenancy, webhooks
from monigo.bootstrap import Services
from monigo.cli.console import JsonFlag, fail, run, say, with_services
from monigo.cli.doctor import as_lines, list_set_aside
from monigo.cli.people import admin_app, user_app
from monigo.cli.run import Role, run_alone, run_everything
from monigo.cli.simulator import run_simulator
from monigo.cli.verification import verify_all
from monigo.core.ids import ApiKeyId, OrganizationId, parse_id
from monigo.core.times import format_instant, parse_instant
from monigo.tenancy import ApiKey, Scope

app = typer.Typer(
    help="Monigo: an open, self-hosted billing engine. Configured by MONIGO_… variables.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
org_app = typer.Typer(help="Organisations.", no_args_is_help=True)
key_app = typer.Typer(help="API keys.", no_args_is_help=True)
app.add_typer(org_app, name="org")
app.add_typer(key_app, name="key")
app.add_typer(user_app, name="user")
app.add_typer(admin_app, name="admin")

OrgOption = Annotated[str, typer.Option("--org", help="The organisation's id.")]


@app.command()
def serve() -> None:
    """Run everything: the embedded database (unless MONIGO_DATABASE_URL is set), API, worker."""
    run(run_everything)


@app.command()
def api() -> None:
    """Run the API only, on MONIGO_APP_DATABASE_URL."""
    run(lambda settings: run_alone(settings, Role.API))


@app.command()
def worker() -> None:
    """Run the worker only, on MONIGO_APP_DATABASE_URL."""
    run(lambda settings: run_alone(settings, Role.WORKER))


@app.command()
def simulator(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8010,
    file: Annotated[
        Path | None, typer.Option(help="Keep the books there; without it they end with it.")
    ] = None,
) -> None:
    """Simulate Paystack, Flutterwave and Monnify, with pages to pay on; needs no database."""
    run(lambda _: run_simulator(host, port, file))


@app.command()
def listen(
    *,
    forward_to: Annotated[str, typer.Option(help="URL that takes the events.")],
    key: Annotated[
        str, typer.Option(envvar="MONIGO_API_KEY", help="An API key of test mode that may read.")
    ],
    server: Annotated[str, typer.Option(help="Where the API is.")] = "http://localhost:8000",
) -> None:
    """Forward events of test mode to this machine, from now on, signed as webhooks are."""
    run(lambda _: webhooks.deliveries.listen(server, key, forward_to, say))


@app.command()
def migrate(
    *,
    show_app_url: Annotated[
        bool, typer.Option(help="Print MONIGO_APP_DATABASE_URL, with its password, and no more.")
    ] = False,
) -> None:
    """Bring the database to the present schema, as its owner; serve does so at its start."""
    app_url = with_services(_app_url)
    say(app_url if show_app_url else "the database has the present schema")


@app.command()
def verify(*, as_json: JsonFlag = False) -> None:
    """Compute buckets, counts and invoices again from their sources; ends with 1 if any differs."""
    report = with_services(verify_all)
    say(json.dumps(report.as_json()) if as_json else "\n".join(report.as_lines()))
    if report.differences:
        raise typer.Exit(1)


@app.command()
def doctor(*, as_json: JsonFlag = False) -> None:
    """List due work that failed and was set aside, of all organisations; ends with 1 if any did."""
    found = with_services(list_set_aside)
    say(json.dumps([one.as_json() for one in found]) if as_json else as_lines(found))
    if found:
        raise typer.Exit(1)


@org_app.command("create")
def create_org(name: str, *, as_json: JsonFlag = False) -> None:
    """Make an organisation, with a test key and a live key of all scopes."""
    result = with_services(lambda services: _create_org(services, name))
    if as_json:
        say(json.dumps(result))
    else:
        for label, value in result.items():
            say(f"{label}: {value}")


@org_app.command("suspend")
def suspend_org(org_id: str) -> None:
    """Let an organisation's people and keys only read, from their next request on."""
    with_services(lambda services: tenancy.suspend_organization(services.database, _org_id(org_id)))
    say("suspended")


@org_app.command("activate")
def activate_org(org_id: str) -> None:
    """End an organisation's suspension."""
    with_services(
        lambda services: tenancy.activate_organization(services.database, _org_id(org_id))
    )
    say("active")


@key_app.command("create")
def create_key(
    org: OrgOption,
    *,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "key",
    live: Annotated[bool, typer.Option("--live", help="Act on live data, not test data.")] = False,
    scope: Annotated[list[Scope] | None, typer.Option(help="May repeat; default: all.")] = None,
    expires_at: Annotated[str | None, typer.Option(help="RFC 3339 time.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make an API key. Its secret is shown now and never again."""
    issued = with_services(
        lambda services: tenancy.issue_key(
            services.database,
            _org_id(org),
            name=name,
            is_test_mode=not live,
            scopes=tuple(scope or tenancy.ALL_SCOPES),
            expires_at=_expiry(expires_at),
        )
    )
    shown = {**_shown(issued.key), "key": issued.secret}
    say(json.dumps(shown) if as_json else f"{shown['id']}  {shown['key']}")


@key_app.command("list")
def list_keys(org: OrgOption, *, as_json: JsonFlag = False) -> None:
    """List an organisation's API keys, newest first."""
    keys = with_services(lambda services: tenancy.list_keys(services.database, _org_id(org)))
    if as_json:
        say(json.dumps([_shown(key) for key in keys]))
        return
    for key in keys:
        state = "revoked" if key.revoked_at else "off" if key.disabled_at else "active"
        say(f"{key.id}  {key.key_prefix}…  {state}  {','.join(key.scopes)}  {key.name}")


@key_app.command("revoke")
def revoke_key(org: OrgOption, key_id: str) -> None:
    """End an API key at once."""
    api_key_id = parse_id(key_id)
    if api_key_id is None:
        fail("KEY_ID must be a UUID")
    with_services(
        lambda services: tenancy.revoke_key(
            services.database, org_id=_org_id(org), api_key_id=ApiKeyId(api_key_id)
        )
    )
    say("revoked")


async def _app_url(services: Services) -> str:
    """The application's URL; opening the services has migrated the database already."""
    return services.app_url


async def _create_org(services: Services, name: str) -> dict[str, str]:
    organization = await tenancy.create_organization(services.database, name)
    keys = {
        mode: await tenancy.issue_key(
            services.database, organization.id, name=f"{mode} key", is_test_mode=mode == "test"
        )
        for mode in ("test", "live")
    }
    return {
        "org_id": str(organization.id),
        "test_api_key": keys["test"].secret,
        "live_api_key": keys["live"].secret,
    }


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(key.id),
        "name": key.name,
        "key_prefix": key.key_prefix,
        "scopes": list(key.scopes),
        "is_test_mode": key.is_test_mode,
        "expires_at": key.expires_at and format_instant(key.expires_at),
        "revoked_at": key.revoked_at and format_instant(key.revoked_at),
    }


def _org_id(text: str) -> OrganizationId:
    parsed = parse_id(text)
    if parsed is None:
        fail("an organisation's id is needed")
    return OrganizationId(parsed)


def _expiry(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        fail(f"--expires-at {error}")
