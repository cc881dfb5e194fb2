"""Processes that die at a call to a provider: before it, while it is on its way, and after it."""

import asyncio

BEFORE, DURING, AFTER = "before", "during", "after"
CUTS = (BEFORE, DURING, AFTER)


class Killed(BaseException):
    """The process is gone; nothing that handles errors handles this."""


class Cutter:
    """Asks providers in the place of a desk's client, and dies once at a call, if that is set.

    What a process had sent as it died arrives later: `release` lets it.
    """

    def __init__(self, desk, run):
        self.desk = desk
        self.run = run
        self.client = desk.client
        self.cut = ""
        self.verbs = frozenset()
        self.has_died = False
        self._on_their_way = []

    def __enter__(self):
        self.desk.client = self
        return self

    def __exit__(self, *_):
        self.desk.client = self.client

    def at(self, cut, *verbs):
        """Have the process die at the next call of these verbs."""
        self.cut, self.verbs, self.has_died = cut, frozenset(verbs), False

    def disarm(self):
        """Have the process live on."""
        self.cut = ""

    async def ask(self, provider, intent, keys, **mode):
        if not self.cut or intent.verb.value not in self.verbs:
            return await self.client.ask(provider, intent, keys, **mode)
        cut, self.cut, self.has_died = self.cut, "", True
        if cut == DURING:
            self._on_their_way.append((provider, intent, keys, mode))
        if cut == AFTER:
            await self.client.ask(provider, intent, keys, **mode)
        raise Killed

    def release(self):
        """Let the provider get what dead processes had sent; how many requests that were."""
        sent, self._on_their_way = self._on_their_way, []

        async def send():
            asked = [
                self.client.ask(provider, intent, keys, **mode)
                for provider, intent, keys, mode in sent
            ]
            await asyncio.gather(*asked)

        self.run(send())
        return len(sent)
