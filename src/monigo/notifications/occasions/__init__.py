"""Occasions: the facts about which customers are written to, by whatever way."""

from monigo.notifications.occasions.facts import FACTS, occasion_of
from monigo.notifications.occasions.loading import circumstances
from monigo.notifications.occasions.rules import number_of, shown_name, undone
from monigo.notifications.occasions.types import (
    Card,
    Circumstances,
    Occasion,
    ReachedThreshold,
    Undone,
)
from monigo.notifications.occasions.wording import measured

__all__ = [
    "FACTS",
    "Card",
    "Circumstances",
    "Occasion",
    "ReachedThreshold",
    "Undone",
    "circumstances",
    "measured",
    "number_of",
    "occasion_of",
    "shown_name",
    "undone",
]
