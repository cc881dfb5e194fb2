"""The kinds of collection's due work, for those who put it on the agenda."""

from monigo.infra.agenda import Follows, Kind

# Of an invoice: something may be done to collect it.
COLLECT = Kind("invoice_collection", Follows.TENANT)
# Of a customer: there is another method by which unpaid invoices can be tried.
NEW_METHOD = Kind("new_payment_method", Follows.TENANT)
# Of a subscription: what it was suspended for may be paid.
LIFT = Kind("suspension_lift", Follows.TENANT)
# Of a charge: a test clock waits for its outcome.
AWAIT = Kind("charge_outcome", Follows.TENANT)
# Of a connection or an organisation: what kept invoices from being charged may have changed. By
# real time, for both modes have the same connections.
RETRY = Kind("collection_retry", Follows.REAL)
