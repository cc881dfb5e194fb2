"""Connections, and transactions that see one tenant's rows only."""

from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import asynccontextmanager
from copy import copy
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import asyncpg
from msgspec import Struct, field
from msgspec.structs import replace

from monigo.core.access import Principal, system
from monigo.core.errors import ensure
from monigo.core.ids import OrganizationId
from monigo.infra.clock import Clock
from monigo.infra.db.committed import Committed
from monigo.infra.db.connections import Connection, Connections, Pool, PoolFigures, cut, is_open
from monigo.infra.db.errors import PASSING_FAULTS
from monigo.infra.db.pipeline import Pipelines
from monigo.infra.db.statements import (
    Answer,
    Argument,
    Statement,
    read_boolean,
    read_instant,
)
from monigo.infra.db.tenants import Change, Tenant

# Longer than any honest statement; a runaway one must not hold locks for ever.
STATEMENT_TIMEOUT_SECONDS = 30
# A request that waits longer than this for a row is refused, so that its client retries.
LOCK_TIMEOUT_SECONDS = 10
# A process that hangs inside a transaction loses it, and with it its locks.
IDLE_TRANSACTION_TIMEOUT_SECONDS = 60

if TYPE_CHECKING:
    from monigo.infra.registry import Registry


class RowLock(StrEnum):
    """The strength of a row lock; its value is the SQL clause."""

    NONE = ""
    # It stays as it is referred to: no delete, while others may refer to it, too.
    KEEP = "FOR KEY SHARE"
    # It stays exactly as it is.
    FREEZE = "FOR SHARE"
    # Ours to change; others may still refer to it.
    CHANGE = "FOR NO KEY UPDATE"
    # Ours alone.
    EXCLUSIVE = "FOR UPDATE"


class ClockState(StrEnum):
    """Whether a transaction's `now` is a test clock's, and whether that is on its way."""

    UNSET = "unset"
    STANDS = "stands"
    MOVES = "moves"


# Of a long list at once: a millisecond or two of reading and decoding.
ROWS_AT_ONCE = 50

# Who acts where nobody more particular does: the process itself.
PROCESS = system("monigo")

# One row by its key, in a prepared statement: the price of a test clock.
SELECT_TEST_TIME = """
    SELECT now_at, target_at IS NOT NULL AS moves, resets FROM test_clocks WHERE org_id = $1
"""
TEST_TIME = Statement(SELECT_TEST_TIME, (), (read_instant, read_boolean, int))

SELECT_ORGANIZATION_IDS = "SELECT org_id FROM organization_ids() AS org_id"


class Sender:
    """Sends statements of one transaction, several at once, and knows whether COMMIT was one."""

    def __init__(self, pipelines: Pipelines, connection: Connection) -> None:
        self._pipelines = pipelines
        self.connection = connection
        self.is_committed = False

    async def send(
        self,
        tenant: Tenant,
        statements: Sequence[Statement],
        *,
        opening: Sequence[str] = (),
        is_end: bool = False,
    ) -> list[Answer]:
        """Run statements for a tenant, in one round trip."""
        ensure(not self.is_committed, "nothing follows a commit")
        bound = (Argument.uuid(tenant.org_id), Argument.boolean(tenant.is_test))
        asked = [replace(one, arguments=(*bound, *one.arguments)) for one in statements]
        # The driver wants to hear itself of the end of a transaction in which it ran something.
        is_end_unheard = is_end and not self.connection.is_in_transaction()
        answers = await self._pipelines.run(self.connection, opening, asked, is_end=is_end_unheard)
        if is_end and not is_end_unheard:
            await self.connection.execute("COMMIT")
        self.is_committed = is_end
        return answers


class Transaction(Struct, frozen=True):
    """An open transaction under row-level security, and the instant at which it acts.

    `now` is the tenant's time: in test mode, where a test clock is set, that clock's. Only what
    belongs to the machine and not to the merchant's data (keys, deliveries, queues, limits) goes by
    `real_now`. Caches of test data compare `resets`, the number of times that the data was cleared.
    `principal` is who acts, `registry` has the guards, reactions and subscribers. A test clock
    waits for the transactions that read it (`clock`). `committed` has what the process knows to be
    committed. `changes` is what use cases changed so far, for the audit log.

    The query methods pass the organisation as `$1` and the mode as `$2`, so that no query of
    tenant data can forget them; further arguments start at `$3`.
    """

    connection: Connection
    sender: "Sender"
    tenant: Tenant
    principal: Principal
    now: datetime
    real_now: datetime
    resets: int = 0
    clock: ClockState = ClockState.UNSET
    registry: "Registry | None" = None
    committed: Committed = field(default_factory=Committed)
    changes: list[Change] = field(default_factory=list[Change])
    # What the statements answered that the transaction began with.
    opened: Sequence[Answer] = ()

    @property
    def org_id(self) -> OrganizationId:
        """The organisation whose rows are seen."""
        return self.tenant.org_id

    @property
    def is_test(self) -> bool:
        """Whether the test data is seen, or the live data."""
        return self.tenant.is_test

    def acting_as(self, principal: Principal) -> "Transaction":
        """This transaction, for what somebody else does in it."""
        return replace(self, principal=principal)

    def changed(self, before: Any, after: Any) -> None:
        """Note what a use case changed, as it loaded it under its lock and as it leaves it."""
        self.changes.append(Change(self.tenant, before, after))

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """All rows."""
        return await self.connection.fetch(query, self.org_id, self.is_test, *arguments)

    async def pieces(self, query: str, *arguments: Any) -> AsyncGenerator[list[asyncpg.Record]]:
        """All rows of a long list, a few at a time; meanwhile other work has its turn."""
        cursor = await self.connection.cursor(query, self.org_id, self.is_test, *arguments)
        while rows := await cursor.fetch(ROWS_AT_ONCE):
            yield rows
            if len(rows) < ROWS_AT_ONCE:
                return

    async def fetchrow(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        """The first row, if any."""
        return await self.connection.fetchrow(query, self.org_id, self.is_test, *arguments)

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """The first row's first column, or None."""
        return await self.connection.fetchval(query, self.org_id, self.is_test, *arguments)

    async def execute(self, query: str, *arguments: Any) -> str:
        """Run without rows; the command's tag (`UPDATE 1`)."""
        return await self.connection.execute(query, self.org_id, self.is_test, *arguments)

    async def send(self, *statements: Statement) -> list[Answer]:
        """Run statements in one round trip; what each answers.

        Raises:
            DomainError: a statement's refusal.
        """
        return await self._send(statements, is_end=False)

    async def commit_with(self, *statements: Statement) -> list[Answer]:
        """As `send`, and commit in the same round trip; nothing can follow in the transaction."""
        return await self._send(statements, is_end=True)

    async def _send(self, statements: Sequence[Statement], *, is_end: bool) -> list[Answer]:
        try:
            return await self.sender.send(self.tenant, statements, is_end=is_end)
        except asyncpg.PostgresError as error:
            for statement in statements:
                refusal = statement.refusal(error)
                if refusal is not None:
                    raise refusal from error
            raise

    async def savepoint(self) -> None:
        """Mark the point that `rollback_to_savepoint` returns to."""
        await self.connection.execute("SAVEPOINT attempt")

    async def rollback_to_savepoint(self) -> None:
        """Undo what was done since `savepoint`, keeping the transaction open."""
        self.committed.drop()
        self.changes.clear()
        await self.connection.execute("ROLLBACK TO SAVEPOINT attempt")


async def _keep_session(_connection: object) -> None:
    """Nothing to reset: we only ever set what ends with the transaction."""


class Database:
    """The pool of the application's role, which row-level security binds, and who acts by it."""

    def __init__(self, pool: Pool, clock: Clock, registry: "Registry | None" = None) -> None:
        self._connections = Connections(pool, give_up_seconds=LOCK_TIMEOUT_SECONDS)
        self._pipelines = Pipelines()
        self._clock = clock
        # Guards, reactions and subscribers of what transactions do.
        self.registry = registry
        self._principal = PROCESS
        self._committed: set[Hashable] = set()

    @classmethod
    async def connect(
        cls, url: str, *, clock: Clock, pool_size: int, registry: "Registry | None" = None
    ) -> Self:
        """Open the pool; `url` is the application role's. Without `registry` nobody is asked."""
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=pool_size,
            reset=_keep_session,
            server_settings={
                "application_name": "monigo",
                "timezone": "UTC",
                # Rows of an array are guessed too high, so that short queries would be compiled.
                "jit": "off",
                "statement_timeout": f"{STATEMENT_TIMEOUT_SECONDS}s",
                "lock_timeout": f"{LOCK_TIMEOUT_SECONDS}s",
                "idle_in_transaction_session_timeout": f"{IDLE_TRANSACTION_TIMEOUT_SECONDS}s",
            },
        )
        return cls(pool, clock, registry)

    async def close(self) -> None:
        """Wait for the borrowed connections and close all."""
        await self._connections.close()

    def acting_as(self, principal: Principal) -> Self:
        """The same pool, for transactions in which somebody else acts."""
        other = copy(self)
        other._principal = principal  # noqa: SLF001 - a copy of our own
        return other

    @asynccontextmanager
    async def transaction(self, tenant: Tenant, *opening: Statement) -> AsyncGenerator[Transaction]:
        """One transaction that sees and touches this tenant's rows only; commits at the end.

        With statements to begin with, it begins in one round trip with them (`opened`).
        """
        committed = Committed(self._committed)
        async with self._ended() as sender:
            begin = ["BEGIN", *_binding(tenant)]
            # Live time is always real, and costs no question.
            asked = [TEST_TIME] if tenant.is_test else []
            if opening:
                answers = await sender.send(tenant, [*asked, *opening], opening=begin)
            else:
                await sender.connection.execute("; ".join(begin))
                answers = await sender.send(tenant, asked) if asked else []
            test_time = answers.pop(0).rows if asked else []
            tx = self._transaction(sender, tenant, test_time, committed)
            yield replace(tx, opened=answers) if opening else tx
        committed.keep()

    async def at_once(self, tenant: Tenant, statement: str, *arguments: Argument) -> Answer:
        """One statement as a transaction of this tenant's, in one round trip.

        It sees and touches what it would in `transaction`; the tenant is passed as `$1` and `$2`.
        """
        begin = ["BEGIN", *_binding(tenant)]
        asked = Statement(statement, arguments)
        async with self._ended() as sender:
            (answer,) = await sender.send(tenant, [asked], opening=begin, is_end=True)
        return answer

    @asynccontextmanager
    async def snapshot(self, tenant: Tenant) -> AsyncGenerator[Transaction]:
        """A transaction that reads one moment's rows, however long it takes, and writes nothing."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0"
        async with self._ended() as sender:
            await sender.connection.execute("; ".join([begin, *_bound_to(tenant)]))
            (test_time,) = await sender.send(tenant, [TEST_TIME])
            yield self._transaction(sender, tenant, test_time.rows, Committed())

    def _transaction(
        self,
        sender: Sender,
        tenant: Tenant,
        test_time: Sequence[tuple[datetime | None, bool, int]],
        committed: Committed,
    ) -> Transaction:
        real_now = self._clock.now()
        now, moves, resets = test_time[0] if tenant.is_test and test_time else (None, False, 0)
        if now is None:
            clock = ClockState.UNSET
        else:
            clock = ClockState.MOVES if moves else ClockState.STANDS
        return Transaction(
            sender.connection,
            sender,
            tenant,
            self._principal,
            now or real_now,
            real_now,
            resets,
            clock,
            self.registry,
            committed,
        )

    @asynccontextmanager
    async def _ended(self) -> AsyncGenerator[Sender]:
        """A connection for one transaction, which is committed at the end unless it was already."""
        async with self._connections.borrow() as connection:
            sender = Sender(self._pipelines, connection)
            try:
                yield sender
                if not sender.is_committed:
                    await connection.execute("COMMIT")
            except BaseException as error:
                await _roll_back(connection, error)
                raise

    @asynccontextmanager
    async def lookups(self) -> AsyncGenerator[Connection]:
        """A connection outside any tenant: it sees no rows, but may call what returns ids only."""
        async with self._connections.borrow() as connection:
            yield connection

    def real_now(self) -> datetime:
        """The machine's time, outside of transactions."""
        return self._clock.now()

    def pool_figures(self) -> PoolFigures:
        """How many connections there are, and how many of them are in use."""
        return self._connections.figures()

    async def organization_ids(self) -> list[OrganizationId]:
        """All organisations, for work that goes through them one by one."""
        async with self.lookups() as connection:
            rows = await connection.fetch(SELECT_ORGANIZATION_IDS)
        return [OrganizationId(row["org_id"]) for row in rows]


def _binding(tenant: Tenant) -> list[str]:
    """The statements that a tenant's transaction begins with."""
    return [*_bound_to(tenant), *_apart_from_resets(tenant)]


def _bound_to(tenant: Tenant) -> list[str]:
    """Makes a transaction see one tenant's rows; gone with the transaction.

    Typed values only, so that the text can hold nothing but a UUID and a boolean.
    """
    mode = "true" if tenant.is_test else "false"
    return [f"SET LOCAL app.org_id = '{tenant.org_id}'", f"SET LOCAL app.is_test = '{mode}'"]


def reset_lock(org_id: OrganizationId) -> int:
    """The advisory lock that a reset of an organisation's test data holds alone."""
    return int.from_bytes(org_id.bytes[8:], "big", signed=True)  # the id's random half


def _apart_from_resets(tenant: Tenant) -> list[str]:
    """Makes a test transaction and a reset wait for each other, so that no old data is left."""
    if not tenant.is_test:
        return []
    return [f"SELECT pg_advisory_xact_lock_shared({reset_lock(tenant.org_id)})"]


async def _roll_back(connection: Connection, error: BaseException) -> None:
    """Ready a connection for its next use, or give it up where it is broken; never raises more."""
    if isinstance(error, asyncpg.InternalClientError):
        cut(connection)  # In the middle of an answer, of which the rest may come.
    elif is_open(connection):
        try:
            await connection.execute("ROLLBACK")
        except (*PASSING_FAULTS, TimeoutError):
            cut(connection)
