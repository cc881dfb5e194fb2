"""The desk: no transaction is open, a provider that hangs delays no other, old keys can go."""

import asyncio
import time

import pytest

from monigo import tenancy
from monigo.core.errors import InvariantError
from monigo.infra.crypto import Vault
from monigo.infra.db import Tenant
from monigo.payments import connections
from monigo.payments.connections import ProviderDesk, connect_new_organizations
from monigo.providers import port as p
from monigo.providers.simulator import create_simulator
from support.backend import SECRET_KEY
from support.payments import connect

OTHER_KEY = "another-secret-key-of-the-installation"
HANG_MS = 3_000


def desk_of(api, vault=None, at_once_max=8):
    services = api.backend.services
    own = services.desk
    return ProviderDesk(own.client, vault or own.vault, at_once_max=at_once_max)


def test_no_provider_is_asked_in_a_transaction(api):
    connection, services = connect(api), api.backend.services

    async def ask():
        async with services.database.transaction(api.tenant):
            await services.desk.ask(services.database, api.tenant, connection["id"], p.Balance())

    with pytest.raises(InvariantError, match="no transaction is open"):
        api.backend.run(ask())


def test_a_provider_that_hangs_delays_no_other(api):
    hanging, other = connect(api), connect(api, "flutterwave")
    desk, database = desk_of(api, at_once_max=2), api.backend.services.database
    api.backend.simulated.next("paystack", "balance", "success", times=2, delay_ms=HANG_MS)

    async def ask(connection):
        begun = time.monotonic()
        outcome = await desk.ask(database, api.tenant, connection["id"], p.Balance())
        return outcome, time.monotonic() - begun

    async def both():
        waiting = [asyncio.create_task(ask(hanging)) for _ in range(2)]
        await asyncio.sleep(0.2)
        answered = await ask(other)
        return answered, await asyncio.gather(*waiting)

    (outcome, seconds), waited = api.backend.run(both())

    assert isinstance(outcome, p.Succeeded)
    assert seconds < HANG_MS / 1000
    # A connection has half of the provider's turns: the second waited for the first.
    assert max(seconds for _, seconds in waited) >= 2 * HANG_MS / 1000


def test_what_is_under_an_old_key_is_encrypted_anew_as_it_is_used(api):
    connection, database = connect(api), api.backend.services.database
    desk = desk_of(api, Vault([OTHER_KEY, SECRET_KEY]))

    def ciphertext():
        rows = api.backend.sql(
            "SELECT keys_ciphertext FROM payment_credentials WHERE org_id = $1", api.org_id
        )
        return rows[0]["keys_ciphertext"]

    before = ciphertext()
    for _ in range(2):
        outcome = api.backend.run(desk.ask(database, api.tenant, connection["id"], p.Balance()))
        assert isinstance(outcome, p.Succeeded)

    assert not Vault([OTHER_KEY]).is_current(before)
    assert Vault([OTHER_KEY]).is_current(ciphertext())
    alone = desk_of(api, Vault([OTHER_KEY]))
    outcome = api.backend.run(alone.ask(database, api.tenant, connection["id"], p.Balance()))
    assert isinstance(outcome, p.Succeeded)


def test_a_new_organisation_is_connected_to_all_simulated_providers(backend):
    services, vault = backend.services, Vault([SECRET_KEY])

    async def found():
        organization = await tenancy.create_organization(services.database, "New")
        tenant = Tenant(organization.id, is_test=False)
        async with services.database.transaction(tenant) as tx:
            await connect_new_organizations(vault)(tx, ["made"])
        return organization.id

    org_id = backend.run(found())

    async def listed(*, is_test):
        async with services.database.transaction(Tenant(org_id, is_test)) as tx:
            return [await connections.of_provider(tx, name) for name in p.ProviderName]

    assert [len(found) for found in backend.run(listed(is_test=True))] == [1, 1, 1]
    assert [len(found) for found in backend.run(listed(is_test=False))] == [0, 0, 0]
    for provider in p.ProviderName:
        (hook,) = backend.run(services.desk.webhook_secrets(services.database, org_id, provider))
        signing = hook.secrets[-1]
        assert (hook.tenant.is_test, org_id.hex in signing or len(signing) == 32) == (True, True)


def test_a_simulator_sends_webhooks_home_of_keys_that_say_whose_they_are():
    home = create_simulator(home="http://home.example")
    org, tail = "01a22dc8fdd87144b4fb875c2d2ffb3b", "f" * 32
    own = home.merchant("flutterwave", f"FLWSECK_TEST-{org}{tail}-X")
    other = home.merchant("flutterwave", "FLWSECK_TEST-4242-X")

    url = "http://home.example/webhooks/flutterwave/01a22dc8-fdd8-7144-b4fb-875c2d2ffb3b"
    assert home.webhooks_of(own) == (url, tail)
    assert home.webhooks_of(other) == ("", "")
