"""What a verification finds: how much was looked at, and where stored and computed differ."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

# Whoever has more differences than this needs to see no more of them to know what to do.
DIFFERENCES_MAX = 1_000


class Difference(Struct, frozen=True):
    """Something stored that is not what its sources say; None where one side has nothing."""

    what: str
    subject: str
    stored: str | None
    computed: str | None


class Verification(Struct, frozen=True):
    """How many things of each sort were looked at, and the differences that were found."""

    looked_at: Mapping[str, int]
    differences: Sequence[Difference]
