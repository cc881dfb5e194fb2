"""Occasions: the facts about which customers are written to, by whatever way."""

from monigo.notifications.occasions.facts import FACTS, occasion_of
from monigo.notifications.occasions.types import Card, Occasion

__all__ = ["FACTS", "Card", "Occasion", "occasion_of"]
