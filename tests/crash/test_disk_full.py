"""A full disk is said so, loses nothing, and is forgotten once there is space again."""

import asyncio
import json
import subprocess
import sys
import time

import asyncpg
import pytest

from support.api import event
from support.process import Program

DISK_MEBIBYTES = 160
BATCHES_MAX = 200
BACK_SECONDS_MAX = 40


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, which only root can make."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_MEBIBYTES}m", "tmpfs", disk]
    if sys.platform != "linux" or subprocess.run(["mount", *options], check=False).returncode:
        pytest.skip("a small disk can't be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk):
    """Take all the space that is left; the file that does."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65_536)
        except OSError:
            return ballast


def send(client, number):
    events = [event(f"{number}-{place}", properties={"x": "y" * 900}) for place in range(200)]
    return client.post("/v1/ingest", json={"events": events})


def until(client, status, numbers):
    """Send until an answer has the status; the batches that were acknowledged, and the answers."""
    deadline = time.monotonic() + BACK_SECONDS_MAX
    told, acknowledged = [], []
    for number in numbers:
        told.append(send(client, number))
        if told[-1].status_code == 202:
            acknowledged.append(number)
        if told[-1].status_code == status or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return acknowledged, told


def wait_until_folded(program):
    """Return when the worker has worked off what was taken in."""

    async def unfolded():
        connection = await asyncpg.connect(program.credentials()["database_url"])
        try:
            return await connection.fetchval("SELECT count(*) FROM unfolded_batches")
        finally:
            await connection.close()

    deadline = time.monotonic() + BACK_SECONDS_MAX
    while asyncio.run(unfolded()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_full_disk_is_waited_out(small_disk):
    with Program(small_disk / "data") as program, program.client() as client:
        client.post("/v1/customers", json={"external_id": "c1"})
        metric = {"name": "Calls", "event_name": "api_call", "aggregation": "count"}
        client.post("/v1/metrics", json=metric)
        ballast = fill(small_disk)

        before, filling = until(client, 503, range(BATCHES_MAX))
        full = [send(client, "full") for _ in range(5)]
        ballast.unlink()
        _, recovering = until(client, 202, ["full"] * 10_000)
        again = [send(client, number).json()["ingested"] for number in before]
        wait_until_folded(program)
        verified = json.loads(program.run("verify", "--json"))

    told = {answer.status_code for answer in (*filling, *full, *recovering)}
    assert told == {202, 503}
    assert {answer.status_code for answer in full} == {503}
    assert full[0].headers["retry-after"] == "1"
    assert recovering[-1].status_code == 202
    assert [key for keys in again for key in keys] == []
    assert verified["differences"] == []
