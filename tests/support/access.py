"""Who may ask for which operation: written down by itself, and not taken from the product's table.

Each operation stands in one group, by its method and its path without /v1 or /api/v1. A new one is
in none, which `test_every_operation_is_in_one_group` tells.
"""

from typing import NamedTuple


class Group(NamedTuple):
    """The scopes of which a key needs one, and the roles of which a person needs one.

    `is_fresh`: people must have signed in within the last 15 minutes.
    """

    scopes: frozenset
    roles: frozenset
    is_fresh: bool = False


ALL = frozenset({"owner", "admin", "member", "viewer"})
STAFF = frozenset({"owner", "admin", "member"})
MANAGERS = frozenset({"owner", "admin"})
NO_KEY = frozenset()


def _scopes(*names):
    return frozenset(names)


GROUPS = {
    "read": Group(_scopes("read"), ALL),
    "read replays": Group(_scopes("read", "ingest"), ALL),
    "read settings": Group(_scopes("admin"), ALL),
    "prepare and bill": Group(_scopes("write"), STAFF),
    "ingest": Group(_scopes("ingest"), STAFF),
    "void": Group(_scopes("write"), MANAGERS),
    "settle by hand": Group(_scopes("admin"), MANAGERS),
    "move money": Group(_scopes("write"), MANAGERS),
    "see what was changed": Group(_scopes("admin"), MANAGERS),
    "settings": Group(_scopes("admin"), MANAGERS),
    "see connections": Group(_scopes("admin"), MANAGERS),
    "connect": Group(_scopes("admin"), MANAGERS, is_fresh=True),
    "see members": Group(NO_KEY, ALL),
    "leave": Group(NO_KEY, ALL),
    "see who may act": Group(NO_KEY, MANAGERS),
    "decide who may act": Group(NO_KEY, MANAGERS, is_fresh=True),
}
# A person's own account, in whatever organisation or in none; and what anybody may ask for.
OWN_ACCOUNT = "own account"
OWN_SECURITY = "own security"
ANYBODY = "anybody"
# A customer's own things, for who holds a token of its portal.
PORTAL = "portal"

OPERATIONS_OF = {
    "read": """
        GET /whatsapp/connection
        GET /whatsapp/message-logs
        GET /whatsapp/notification-settings
        GET /whatsapp/qr
        GET /alerts
        GET /alerts/triggered
        GET /alerts/triggered/summary
        GET /alerts/{alert_id}
        GET /billing-events
        GET /bills
        GET /bills/export
        GET /bills/{bill_id}
        GET /bills/{bill_id}/transactions
        GET /bills/{bill_id}/explain
        GET /customer-mails
        GET /customer-mails/preview
        GET /customers
        GET /customers/{customer_id}
        GET /banks
        GET /customers/{customer_id}/payout-accounts
        GET /customers/{customer_id}/payout-accounts/{payout_account_id}
        GET /customers/{customer_id}/payment-methods
        GET /customers/{customer_id}/payout-statement.csv
        GET /customers/{customer_id}/wallets
        GET /dashboard
        GET /events
        GET /events/export
        GET /invoices
        GET /invoices/export
        GET /invoices/{invoice_id}
        GET /invoices/{invoice_id}/transactions
        GET /invoices/{invoice_id}/explain
        GET /mail-suppressions
        GET /metrics
        GET /metrics/event-property-keys
        GET /metrics/{metric_id}
        GET /onboarding/progress
        GET /plans
        GET /plans/simulations/{simulation_id}
        GET /plans/{plan_id}
        GET /plans/{plan_id}/payout-splits
        GET /plans/{plan_id}/revisions
        GET /portal/tokens
        GET /payout-rules/unmatched
        GET /price-overrides
        GET /price-overrides/{override_id}
        GET /reports/export
        GET /reports/receivables-aging
        GET /reports/trial-balance
        GET /reports/withholding-tax
        GET /set-aside
        GET /subscriptions
        GET /subscriptions/{subscription_id}
        GET /subscriptions/{subscription_id}/timeline
        GET /subscriptions/{subscription_id}/upcoming-invoice
        GET /test-clock
        GET /usage
        GET /usage/series
        GET /wallets
        GET /wallets/{wallet_id}
        GET /wallets/{wallet_id}/auto-top-up
        GET /wallets/{wallet_id}/credits
        GET /wallets/{wallet_id}/reservations
        GET /wallets/{wallet_id}/statement.csv
        GET /wallets/{wallet_id}/top-ups
        GET /wallets/{wallet_id}/transactions
        GET /wallets/{wallet_id}/virtual-accounts
    """,
    "read replays": """
        GET /events/replay
        GET /events/replay/{job_id}
    """,
    "read settings": """
        GET /organization
        GET /organizations/{org_id}
    """,
    "prepare and bill": """
        POST /alerts
        PUT /alerts/{alert_id}
        DELETE /alerts/{alert_id}
        POST /alerts/{alert_id}/acknowledge
        POST /alerts/{alert_id}/disable
        POST /alerts/{alert_id}/enable
        POST /alerts/triggered/{alert_state_id}/acknowledge
        POST /bills
        DELETE /bills/{bill_id}
        POST /bills/{bill_id}/finalize
        POST /customers
        PUT /customers/{customer_id}
        DELETE /customers/{customer_id}
        POST /invoices/generate
        DELETE /invoices/{invoice_id}
        POST /customers/{customer_id}/payout-accounts
        PUT /customers/{customer_id}/payout-accounts/{payout_account_id}
        DELETE /customers/{customer_id}/payout-accounts/{payout_account_id}
        POST /customers/{customer_id}/payout-accounts/{payout_account_id}/resolve
        POST /customers/{customer_id}/payment-methods/setup
        PUT /customers/{customer_id}/payment-methods/{payment_method_id}/default
        DELETE /customers/{customer_id}/payment-methods/{payment_method_id}
        DELETE /mail-suppressions/{mail_suppression_id}
        POST /invoices/{invoice_id}/finalize
        POST /invoices/{invoice_id}/initiate-payment
        POST /invoices/{invoice_id}/transactions/{transaction_id}/retry
        POST /portal/sessions
        POST /portal/tokens
        DELETE /portal/tokens/{portal_token_id}
        POST /metrics
        PUT /metrics/{metric_id}
        DELETE /metrics/{metric_id}
        POST /onboarding/steps/{step_id}
        POST /plans
        POST /plans/simulate
        PUT /plans/{plan_id}
        DELETE /plans/{plan_id}
        POST /price-overrides
        PUT /price-overrides/{override_id}
        DELETE /price-overrides/{override_id}
        POST /subscriptions
        PATCH /subscriptions/{subscription_id}
        DELETE /subscriptions/{subscription_id}
        POST /test-clock/advance
    """,
    "ingest": """
        POST /ingest
        POST /events/replay
        POST /events/replay/{job_id}/cancel
    """,
    "void": """
        POST /bills/{bill_id}/void
        POST /invoices/{invoice_id}/void
    """,
    "settle by hand": """
        POST /bills/{bill_id}/hold
        POST /bills/{bill_id}/initiate-payout
        POST /bills/{bill_id}/release
        POST /bills/{bill_id}/transactions/{transaction_id}/authorize
        POST /bills/{bill_id}/transactions/{transaction_id}/resend-otp
        POST /bills/{bill_id}/transactions/{transaction_id}/retry
        PUT /plans/{plan_id}/payout-splits
        POST /invoices/{invoice_id}/mark-paid
        POST /invoices/{invoice_id}/refunds
        POST /transactions/{transaction_id}/resolve
    """,
    "move money": """
        POST /wallets
        PATCH /wallets/{wallet_id}
        PUT /wallets/{wallet_id}/auto-top-up
        DELETE /wallets/{wallet_id}/auto-top-up
        POST /wallets/{wallet_id}/credit
        POST /wallets/{wallet_id}/debit
        POST /wallets/{wallet_id}/credits
        POST /wallets/{wallet_id}/fund
        POST /wallets/{wallet_id}/virtual-accounts
        DELETE /wallets/{wallet_id}/virtual-accounts/{virtual_account_id}
        POST /wallets/{wallet_id}/credits/{grant_id}/revoke
        POST /wallets/{wallet_id}/reservations
        POST /wallets/{wallet_id}/reservations/{reservation_id}/capture
        POST /wallets/{wallet_id}/reservations/{reservation_id}/release
    """,
    "see what was changed": """
        GET /audit-logs
        GET /audit-logs/export
    """,
    "settings": """
        PUT /whatsapp/notification-settings
        POST /whatsapp/test
        PATCH /organization
        PUT /organizations/{org_id}
        POST /provider-events/{provider_event_id}/ignore
        POST /provider-events/{provider_event_id}/match
        POST /provider-events/{provider_event_id}/refund
        POST /provider-events/{provider_event_id}/replay
        POST /test-data/reset
        POST /webhook-delivery-logs/{webhook_delivery_id}/retry
        POST /webhook-endpoints
        PUT /webhook-endpoints/{webhook_endpoint_id}
        DELETE /webhook-endpoints/{webhook_endpoint_id}
        POST /webhook-endpoints/{webhook_endpoint_id}/rotate-secret
        POST /webhook-endpoints/{webhook_endpoint_id}/test
        DELETE /test-clock
    """,
    "see connections": """
        GET /payment-connections
        GET /payment-connections/provider-currencies
        GET /payment-connections/{connection_id}
        GET /payment-connections/{connection_id}/calls
        GET /payment-connections/{connection_id}/events
        GET /payment-connections/{connection_id}/reconciliation
        GET /provider-events
        GET /webhook-delivery-logs
        GET /webhook-delivery-logs/{webhook_delivery_id}
        GET /webhook-endpoints
        GET /webhook-endpoints/{webhook_endpoint_id}
    """,
    "connect": """
        POST /whatsapp/connect
        POST /whatsapp/disconnect
        POST /whatsapp/pairing-code
        POST /payment-connections
        PUT /payment-connections/{connection_id}
        DELETE /payment-connections/{connection_id}
        POST /payment-connections/{connection_id}/toggle
    """,
    "see members": """
        GET /organizations/{org_id}/members
    """,
    "leave": """
        DELETE /organizations/{org_id}/leave
    """,
    "see who may act": """
        GET /api-keys
        GET /organizations/{org_id}/invitations
    """,
    "decide who may act": """
        POST /api-keys
        DELETE /api-keys/{api_key_id}
        PATCH /api-keys/{api_key_id}/toggle
        POST /organizations/{org_id}/invite
        DELETE /organizations/{org_id}/invitations/{invitation_id}
        PATCH /organizations/{org_id}/members/{user_id}
        DELETE /organizations/{org_id}/members/{user_id}
    """,
    OWN_ACCOUNT: """
        POST /auth/reauthenticate
        POST /auth/reauthenticate/options
        GET /invitations/pending
        GET /invitations/{invitation_id}
        POST /invitations/accept
        POST /invitations/reject
        GET /organizations
        POST /organizations
        GET /sessions
        DELETE /sessions/{session_id}
        POST /sessions/revoke-all
        GET /user/passkeys
        PATCH /user/passkeys/{passkey_id}
        GET /user/profile
        PUT /user/profile
        GET /user/second-factor
    """,
    OWN_SECURITY: """
        POST /user/passkeys
        POST /user/passkeys/options
        DELETE /user/passkeys/{passkey_id}
        POST /user/second-factor
        POST /user/second-factor/confirm
        POST /user/second-factor/off
        POST /user/second-factor/recovery-codes
    """,
    PORTAL: """
        GET /portal/bills
        GET /portal/bills/{bill_id}
        GET /portal/bills/{bill_id}/transactions
        GET /portal/invoices
        GET /portal/invoices/{invoice_id}
        POST /portal/invoices/{invoice_id}/pay
        POST /portal/invoices/{invoice_id}/pay-with-card
        POST /portal/invoices/{invoice_id}/pay-with-wallet
        GET /portal/invoices/{invoice_id}/transactions
        GET /portal/me
        GET /portal/payment-methods
        POST /portal/payment-methods/setup
        PUT /portal/payment-methods/{payment_method_id}/default
        DELETE /portal/payment-methods/{payment_method_id}
        GET /portal/payout-accounts
        GET /portal/subscriptions
        GET /portal/subscriptions/{subscription_id}
        POST /portal/subscriptions/{subscription_id}/cancel
        GET /portal/wallets
        GET /portal/wallets/{wallet_id}
        POST /portal/wallets/{wallet_id}/fund
        GET /portal/wallets/{wallet_id}/transactions
    """,
    ANYBODY: """
        POST /auth/forgot-password
        POST /auth/login
        POST /auth/logout
        POST /auth/refresh-token
        POST /auth/register
        POST /auth/resend-verification
        POST /auth/reset-password
        POST /auth/second-factor
        POST /auth/second-factor/options
        POST /auth/verify-email
        POST /auth/verify-reset-code
        GET /countries
        GET /currencies
        GET /healthz
        GET /readyz
        POST /webhooks/{provider}/{org_id}
        GET /webhooks/whatsapp/{org_id}
        POST /webhooks/whatsapp/{org_id}
    """,
}

GROUP_OF = {
    tuple(line.split()): group
    for group, lines in OPERATIONS_OF.items()
    for line in lines.strip().splitlines()
}


def without_face(path):
    """A path as the table has it."""
    return path.removeprefix("/api/v1").removeprefix("/v1")


def refusal_of_key(group, scope):
    """The code with which a key is refused that has one scope; None where it may."""
    if group == ANYBODY:
        return None
    scopes = GROUPS[group].scopes if group in GROUPS else NO_KEY
    if not scopes:
        return "people_only"
    return None if scope in scopes else "scope_missing"


def refusal_of_role(group, role):
    """The code with which a person is refused in the organisation; None where they may."""
    if group not in GROUPS or role in GROUPS[group].roles:
        return None
    return "role_lacks_right"


def is_reading(method):
    """Whether an operation only reads, which a suspended organisation's may."""
    return method == "GET"


def is_fresh(group):
    """Whether a person must have signed in just now."""
    return group == OWN_SECURITY or (group in GROUPS and GROUPS[group].is_fresh)
