"""Everything that an organisation's key can read, to prove that a request changed nothing."""

PATHS = (
    "/v1/customers",
    "/v1/metrics",
    "/v1/plans",
    "/v1/price-overrides",
    "/v1/subscriptions",
    "/v1/invoices",
    "/v1/bills",
    "/v1/billing-events",
    "/v1/wallets",
    "/v1/usage",
    "/v1/organization",
)


def snapshot(api):
    return {path: api.get(path).text for path in PATHS}
