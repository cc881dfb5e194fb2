"""What notices are made of beside their occasions, as things stand when they are made."""

from collections.abc import Sequence

from monigo import customers, invoicing, tenancy
from monigo.core.ids import CustomerId
from monigo.infra.db import Transaction
from monigo.notifications.occasions.types import Circumstances, Occasion
from monigo.payments import charges


async def circumstances(
    tx: Transaction, notices: Sequence[tuple[CustomerId, Occasion | None]]
) -> list[Circumstances]:
    """Those of each notice: to whom it goes, and what it is about, if about anything."""
    organization = await tenancy.get_organization(tx)
    people = await customers.living(tx, {customer_id for customer_id, _ in notices})
    document_ids = {
        occasion.document_id
        for _, occasion in notices
        if occasion is not None and occasion.document_id is not None
    }
    documents = await invoicing.heads(tx, document_ids)
    links = await charges.links_of(tx, document_ids)
    found: list[Circumstances] = []
    for customer_id, occasion in notices:
        customer = people.get(customer_id)
        document_id = None if occasion is None else occasion.document_id
        found.append(
            Circumstances(
                organization,
                tx.is_test,
                None if customer is None else customer.details,
                None if document_id is None else documents.get(document_id),
                "" if document_id is None else links.get(document_id, ""),
            )
        )
    return found
