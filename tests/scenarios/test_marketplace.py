"""docs/marketplace.md as a story: fees, commission and earnings from one stream of sales."""

from support.api import event
from support.payout_rules import bills, paying_plan
from support.verification import faults

RULES = [
    {"trigger_event": "sale", "recipient_field": "seller", "amount_expression": "price"},
    {
        "trigger_event": "sale",
        "recipient_field": "courier",
        "amount_expression": "max(delivery, 150)",
        "filters": [{"property": "price", "operator": ">", "value": 0}],
    },
]
ANCHOR = {"billing_anchor": "month_start"}


def sale(key, day, price, courier="courier-1", delivery=300):
    properties = {"price": price, "seller": "seller-1", "courier": courier, "delivery": delivery}
    timestamp = f"2027-{day}T10:00:00Z"
    return event(key, "seller-1", name="sale", properties=properties, timestamp=timestamp)


def seller_plan(api, metrics, name, listing, rate):
    listings, turnover = metrics
    return api.plan(
        {"metric_id": listings["id"], "model": "flat_unit", "unit_price": listing},
        {"metric_id": turnover["id"], "model": "percentage", "tiers": {"rate": rate}},
        name=name,
    )


def totals(documents, customers):
    names = {known["id"]: known["external_id"] for known in customers}
    return sorted(
        (one["period_start"][:10], names[one["customer_id"]], one["total"].removesuffix("0000"))
        for one in documents
    )


def test_fees_commission_and_earnings_of_one_stream_of_sales(api, backend, clock):
    clock("2027-01-01T00:00:00Z")
    only_sales = [{"property": "price", "operator": ">", "value": 0}]
    metrics = (
        api.metric("sale", name="Listings", filters=only_sales),
        api.metric("sale", name="Turnover", aggregation="sum", aggregation_property="price"),
    )
    basic = seller_plan(api, metrics, "Seller", "50", "0.10")
    premium = seller_plan(api, metrics, "Premium seller", "20", "0.05")
    earnings = paying_plan(api, *RULES, name="Earnings")
    people = [api.customer(name) for name in ("seller-1", "courier-1")]
    selling = api.subscribe("seller-1", basic["id"], **ANCHOR)
    for person in people:
        api.subscribe(person["id"], earnings["id"], **ANCHOR)

    clock("2027-01-16T00:00:00Z")
    api.ingest(sale("1", "01-05", 10_000, delivery=500), sale("2", "01-10", 4_000))
    api.patch(f"/v1/subscriptions/{selling['id']}", json={"plan_id": premium["id"]})
    clock("2027-01-26T00:00:00Z")
    api.ingest(
        sale("3", "01-25", 20_000, courier="courier-2", delivery=100),
        sale("refund of 2", "01-10", -4_000),
    )
    clock("2027-02-03T00:00:00Z")
    waiting = api.get("/v1/payout-rules/unmatched").json()["unmatched"]
    people.append(api.customer("courier-2"))
    api.subscribe("courier-2", earnings["id"], **ANCHOR)
    api.ingest(sale("refund of 3", "01-25", -20_000, courier="courier-2"))
    clock("2027-03-01T00:00:00Z")

    assert [(one["recipient"], one["amount"]) for one in waiting] == [("courier-2", "150.000000")]
    assert totals(api.get("/v1/invoices").json()["invoices"], people) == [
        ("2027-01-01", "seller-1", "1500.00"),  # 2 x 50 and 10 % of 14,000
        ("2027-01-16", "seller-1", "620.00"),  # 20 and 5 % of 20,000, less 10 % of 4,000
        ("2027-02-01", "seller-1", "0.00"),  # 5 % of 20,000 go back, carried forward
    ]
    assert totals(bills(api), people) == [
        ("2027-01-01", "courier-1", "800.00"),
        ("2027-01-01", "seller-1", "30000.00"),  # with the first refund
        ("2027-02-01", "courier-1", "0.00"),
        ("2027-02-01", "seller-1", "0.00"),  # the second refund is carried forward
        ("2027-02-03", "courier-2", "150.00"),  # earned before they signed up
    ]
    assert faults(backend, api.tenant) == []
