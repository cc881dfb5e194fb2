"""/metrics: figures for monitoring, in the format of Prometheus, for operators only."""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address

from fastapi import FastAPI, Request
from starlette.responses import Response

from monigo import metering
from monigo.api.kernel.http.errors import error_response
from monigo.api.kernel.routes.declarations import public
from monigo.bootstrap import Services
from monigo.core.errors import DomainError, ErrorKind
from monigo.infra import agenda, metrics, outbox, queue
from monigo.infra.logging import logger

log = logger(__name__)

PATH = "/metrics"
# Headers that proxies add: a request with one comes from another machine.
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
# However many look, the database is asked once in so long.
READ_EVERY_SECONDS = 5
# Monitoring must work, too, while the database is busy.
READ_SECONDS_MAX = 3


def add_metrics(app: FastAPI, services: Services) -> None:
    """Serve the process's figures."""
    readings = _Readings(services)

    @public
    async def answer(request: Request) -> Response:
        refusal = _refusal(request, services)
        if refusal is not None:
            return error_response(refusal)
        await readings.refresh()
        return Response(metrics.text(), media_type=metrics.CONTENT_TYPE)

    app.add_route(PATH, answer, methods=["GET"], include_in_schema=False)


def _refusal(request: Request, services: Services) -> DomainError | None:
    """Why a request may not read the figures; None where it may."""
    token = services.settings.metrics_token
    if token is not None:
        given = request.headers.get("authorization", "")
        wanted = f"Bearer {token.get_secret_value()}"
        if hmac.compare_digest(given.encode(), wanted.encode()):
            return None
        return DomainError(
            ErrorKind.UNAUTHENTICATED, "invalid_credential", "missing or invalid metrics token"
        )
    if is_of_this_machine(request):
        return None
    return DomainError(
        ErrorKind.FORBIDDEN,
        "metrics_token_unset",
        "only this machine may read metrics while MONIGO_METRICS_TOKEN is not set",
    )


def is_of_this_machine(request: Request) -> bool:
    """Whether a request was sent from this machine, and by no proxy for somebody else."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


class _Readings:
    """What the database is asked for, once for all who look within a few seconds."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._reading = asyncio.Lock()
        self._read_at: float | None = None

    async def refresh(self) -> None:
        """Set the gauges from the database, unless they were set a moment ago."""
        self._read_pool()
        async with self._reading:
            now = time.monotonic()
            if self._read_at is not None and now < self._read_at + READ_EVERY_SECONDS:
                return
            self._read_at = now
            try:
                async with asyncio.timeout(READ_SECONDS_MAX):
                    for read in (_read_folding, _read_agenda, _read_queue, _read_outbox):
                        await read(self._services)
            except Exception as error:  # noqa: BLE001 - figures of the process are reported all the same
                metrics.DATABASE_UP.set(0)
                log.warning("metrics without the database", reason=str(error))
            else:
                metrics.DATABASE_UP.set(1)

    def _read_pool(self) -> None:
        figures = self._services.database.pool_figures()
        metrics.POOL_CONNECTIONS.labels("in_use").set(figures.in_use)
        metrics.POOL_CONNECTIONS.labels("idle").set(figures.idle)
        metrics.POOL_CONNECTIONS.labels("max").set(figures.size_max)


Read = Callable[[Services], Awaitable[None]]


async def _read_folding(services: Services) -> None:
    lag = await metering.fold_lag(services.database)
    metrics.FOLD_LAG_SECONDS.set(lag.total_seconds())


async def _read_agenda(services: Services) -> None:
    now = services.database.real_now()
    found = await agenda.figures(services.database)
    for gauge in (metrics.AGENDA_DUE, metrics.AGENDA_LAG_SECONDS, metrics.AGENDA_SET_ASIDE):
        gauge.clear()
    for figures in found:
        metrics.AGENDA_DUE.labels(figures.kind).set(figures.due)
        metrics.AGENDA_SET_ASIDE.labels(figures.kind).set(figures.set_aside)
        lag = (now - figures.oldest_at).total_seconds() if figures.oldest_at else 0
        metrics.AGENDA_LAG_SECONDS.labels(figures.kind).set(max(0, lag))


async def _read_queue(services: Services) -> None:
    async with services.database.lookups() as connection:
        found = await queue.count_jobs(connection)
    metrics.QUEUE_JOBS.clear()
    for figures in found:
        metrics.QUEUE_JOBS.labels(figures.lane, figures.status).set(figures.jobs)


async def _read_outbox(services: Services) -> None:
    now = services.database.real_now()
    found = await outbox.figures(services.database)
    metrics.OUTBOX_WAITING.clear()
    metrics.OUTBOX_LAG_SECONDS.clear()
    for figures in found:
        lag = (now - figures.oldest_at).total_seconds()
        metrics.OUTBOX_WAITING.labels(figures.subscriber).set(figures.waiting)
        metrics.OUTBOX_LAG_SECONDS.labels(figures.subscriber).set(max(0, lag))
