"""What a verification finds: how much was looked at, and where stored and computed differ."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

# A report of more differences than this would not help anyone to find their cause.
DIFFERENCES_MAX = 1_000


class Difference(Struct, frozen=True):
    """A stored value that differs from its computed one; None: absent on that side."""

    what: str
    subject: str
    stored: str | None
    computed: str | None


class Verification(Struct, frozen=True):
    """How many things of each sort were looked at, and the differences that were found."""

    looked_at: Mapping[str, int]
    differences: Sequence[Difference]
