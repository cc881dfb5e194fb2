"""Ingestion from several threads that remembers what was sent and what was acknowledged."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from support.api import event
from support.process import Program

BATCH_SIZE = 40
THREADS = 4


@dataclass
class Traffic:
    """Every key that went out, and those of batches that were answered 202."""

    program: Program
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    enough: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def until(self, kill: Callable[[], None], name: str, *, batches: int) -> None:
        """Send until the server is killed, once a sender has so many batches acknowledged.

        Each two threads send the same keys, so that batches also race for them.
        """
        self.enough.clear()
        senders = [
            threading.Thread(target=self._send_batches, args=(f"{name}-{number // 2}", batches))
            for number in range(THREADS)
        ]
        for sender in senders:
            sender.start()
        assert self.enough.wait(30), "the server acknowledges too few batches"
        kill()
        for sender in senders:
            sender.join(30)

    def send_again(self) -> tuple[set[str], set[str]]:
        """Send every key that ever went out; which were new, and which known."""
        ingested: set[str] = set()
        duplicates: set[str] = set()
        keys = sorted(self.sent)
        with self.program.client() as client:
            for start in range(0, len(keys), 1_000):
                answer = _ingest(client, keys[start : start + 1_000]).json()
                ingested.update(answer["ingested"])
                duplicates.update(answer["duplicates"])
        return ingested, duplicates

    def _send_batches(self, name: str, batches: int) -> None:
        with self.program.client() as client:
            for number in range(100_000):
                keys = [f"{name}-{number}-{index}" for index in range(BATCH_SIZE)]
                with self._lock:
                    self.sent.update(keys)
                try:
                    response = _ingest(client, keys)
                except httpx.TransportError:
                    return
                with self._lock:
                    self.acknowledged.update(keys if response.status_code == 202 else ())
                if number >= batches:
                    self.enough.set()


def _ingest(client: httpx.Client, keys: list[str]) -> httpx.Response:
    return client.post("/v1/ingest", json={"events": [event(key) for key in keys]})
