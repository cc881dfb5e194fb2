"""The facts of customers."""

from monigo.core.ids import CustomerId
from monigo.infra.outbox import Fact


class CustomerFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a customer."""

    subject = "customer"
    subject_field = "customer_id"
    customer_id: CustomerId
    external_id: str


class CustomerCreated(CustomerFact, frozen=True, kw_only=True):
    """A customer is there from now on."""


class CustomerUpdated(CustomerFact, frozen=True, kw_only=True):
    """Details of a customer were changed: those that are named."""

    changed: tuple[str, ...]


class CustomerDeleted(CustomerFact, frozen=True, kw_only=True):
    """A customer was hidden; its external_id is free again."""
