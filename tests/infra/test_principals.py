"""A transaction says who acts in it: a key, or a job by its name."""

import asyncio

import pytest

from monigo import customers
from monigo.core.access import PrincipalKind, system
from monigo.infra.db import PROCESS
from monigo.tenancy import Scope
from monigo.worker import run, run_worker
from monigo.worker.run import PeriodicJob
from support.api import Api


async def principal_of(database, tenant):
    async with database.transaction(tenant) as tx:
        return tx.principal


def test_the_process_acts_where_nobody_more_particular_does(api, backend):
    assert backend.run(principal_of(backend.services.database, api.tenant)) == PROCESS


def test_whoever_is_named_acts_by_the_same_pool(api, backend):
    named = backend.services.acting_as(system("close_periods")).database

    acting = backend.run(principal_of(named, api.tenant))

    assert (str(acting), acting.permissions) == ("system:close_periods", frozenset())
    assert backend.run(principal_of(backend.services.database, api.tenant)) == PROCESS


def test_a_job_acts_by_its_name(api, backend, monkeypatch):
    seen = []
    stop = asyncio.Event()

    async def work(services):
        seen.append(await principal_of(services.database, api.tenant))
        stop.set()

    monkeypatch.setattr(run, "JOBS", (PeriodicJob("fold_usage", 1, work),))
    backend.run(run_worker(backend.services, stop))

    assert seen == [system("fold_usage")]


@pytest.mark.parametrize("scopes", [[Scope.READ], [Scope.READ, Scope.WRITE]])
def test_a_request_is_done_by_its_key(api, backend, monkeypatch, scopes):
    seen = []
    list_page = customers.list_page

    async def noting(tx, paging):
        seen.append(tx.principal)
        return await list_page(tx, paging)

    monkeypatch.setattr(customers, "list_page", noting)
    with Api.of(backend, api.org_id, is_test=True, scopes=scopes) as client:
        client.get("/v1/customers")

    (principal,) = seen
    assert (principal.kind, principal.org_id, principal.is_test) == (
        PrincipalKind.API_KEY,
        api.org_id,
        True,
    )
    keys = backend.sql("SELECT id::text FROM api_keys WHERE scopes = $1", [*scopes])
    assert principal.id in {row["id"] for row in keys}
    assert {one.value.endswith(":read") for one in principal.permissions} == {
        True,
        len(scopes) == 1,
    }
