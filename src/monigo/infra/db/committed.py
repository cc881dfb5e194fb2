"""What a process remembers of what its transactions committed."""

from collections.abc import Hashable

# About 30 MB; beyond it all is forgotten, which costs a question each.
COMMITTED_MAX = 100_000


class Committed:
    """What a process knows to be in the database for good, as far as one transaction adds to it."""

    def __init__(self, known: set[Hashable] | None = None) -> None:
        self._known: set[Hashable] = set() if known is None else known
        self._added: list[Hashable] = []

    def __contains__(self, one: Hashable) -> bool:
        return one in self._known

    def add(self, one: Hashable) -> None:
        """Know something from the commit on."""
        self._added.append(one)

    def drop(self) -> None:
        """What was added may have been undone."""
        self._added.clear()

    def keep(self) -> None:
        """The transaction has committed."""
        if len(self._known) + len(self._added) > COMMITTED_MAX:
            self._known.clear()
        self._known.update(self._added)
