"""/healthz says that the process lives, /readyz that it can work, or which part can't."""

from datetime import timedelta

import pytest

from monigo import metering
from monigo.api.ops import health
from monigo.infra.db import MigrationError


def test_a_process_that_answers_is_alive(api):
    answer = api.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_process_that_can_work_is_ready(api):
    answer = api.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_another_schema_is_named(api, monkeypatch):
    async def refuse(_connection):
        raise MigrationError("the database has another schema than this program")

    monkeypatch.setattr(health, "check_schema", refuse)

    answer = api.get("/readyz")

    assert (answer.status_code, answer.json()["code"]) == (503, "other_schema")


def test_a_migration_that_is_missing_is_noticed(api, backend):
    taken = backend.sql("DELETE FROM schema_migrations WHERE version = 1 RETURNING *")[0]
    answer = api.get("/readyz")
    columns = ", ".join(taken.keys())
    values = ", ".join(f"${place}" for place in range(1, len(taken) + 1))
    backend.sql(f"INSERT INTO schema_migrations ({columns}) VALUES ({values})", *taken.values())

    assert (answer.status_code, answer.json()["code"]) == (503, "other_schema")
    assert api.get("/readyz").status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(900, 200), (901, 503)])
def test_events_that_wait_too_long_are_named(api, backend, monkeypatch, seconds, status):
    monkeypatch.setattr(backend.services.settings, "fold_lag_seconds_max", 900)

    async def lag(_database):
        return timedelta(seconds=seconds)

    monkeypatch.setattr(metering, "fold_lag", lag)

    answer = api.get("/readyz")

    assert answer.status_code == status
    if status == 503:
        assert answer.json()["code"] == "usage_not_added_up"


def test_a_database_that_is_away_is_named(api, monkeypatch):
    async def away(_connection):
        raise ConnectionRefusedError("away")

    monkeypatch.setattr(health, "check_schema", away)

    answer = api.get("/readyz")

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
