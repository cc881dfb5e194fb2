"""Payout rules: what an event is worth to whom it names, on a plan that pays out."""

from monigo.catalog.payout_rules.rules import RULES_MAX
from monigo.catalog.payout_rules.service import rule_changes, rules_among, rules_of
from monigo.catalog.payout_rules.types import PayoutRule, RuleDefinition, RuleDraft

__all__ = [
    "RULES_MAX",
    "PayoutRule",
    "RuleDefinition",
    "RuleDraft",
    "rule_changes",
    "rules_among",
    "rules_of",
]
