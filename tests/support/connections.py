"""Connections for the statements of tests: opening one takes longer than most statements do."""

import asyncio
import threading

import asyncpg

ANSWER_SECONDS_MAX = 60


class Connections:
    """Runs statements one by one, each in a transaction, on connections that are kept."""

    def __init__(self):
        self._idle = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def fetch(self, url, query, arguments, tenant=None):
        """A statement's rows, as a tenant's if one is given."""
        return self._run(self._fetch(url, query, arguments, tenant))

    def close(self):
        """Close what is kept."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_SECONDS_MAX)
        self._loop.close()

    def _run(self, coroutine):
        waiting = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return waiting.result(ANSWER_SECONDS_MAX)

    async def _fetch(self, url, query, arguments, tenant):
        connection = await self._take(url)
        try:
            async with connection.transaction():
                if tenant is not None:
                    await connection.execute(
                        f"SET LOCAL app.org_id = '{tenant.org_id}';"
                        f" SET LOCAL app.is_test = '{str(tenant.is_test).lower()}'"
                    )
                return await connection.fetch(query, *arguments)
        finally:
            self._idle[url].append(connection)

    async def _take(self, url):
        idle = self._idle.setdefault(url, [])
        while idle:
            connection = idle.pop()
            if not connection.is_closed():
                return connection
        # Without a cache of statements, for tests change the schema, too.
        return await asyncpg.connect(url, statement_cache_size=0)

    async def _close(self):
        for connection in (one for idle in self._idle.values() for one in idle):
            await connection.close()
