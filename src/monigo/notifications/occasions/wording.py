"""What notices of every channel say in the same words."""

from decimal import Decimal

from monigo.alerts import AlertType
from monigo.core.money import Money
from monigo.infra.languages import Language
from monigo.notifications.occasions.types import ReachedThreshold


def measured(reached: ReachedThreshold, value: Decimal, currency: str, language: Language) -> str:
    """What an alert watches, in a language: a quantity, or money."""
    if reached.kind is AlertType.USAGE_EXCEEDED:
        return language.number(value)
    return language.amount(Money(value, currency))
