"""A customer's subscriptions."""
