"""A year of one subscription, told through the public API alone, down to what it was billed."""

import itertools

from support.api import event

TIERS = [{"up_to": 100, "unit_amount": "5"}, {"up_to": None, "unit_amount": "2"}]
DEARER = [{"up_to": 100, "unit_amount": "6"}, {"up_to": None, "unit_amount": "3"}]
# By hand: tiers of 100, then the rest; the fee is 1000, later 2000, and never prorated.
YEAR = [
    ("2027-01-15", "closing", "paid", 1600),  # 100 x 5 + 50 x 2 + 1000; nothing for the trial
    ("2027-02-15", "closing", "finalized", 1460),  # 80 x 5 + 1000, and 30 x 2 that came late
    ("2027-03-15", "closing", "finalized", 1540),  # 100 x 5 + 20 x 2 + 1000; the pause is free
    ("2027-04-15", "closing", "finalized", 1500),  # 100 x 5 + 1000: the edit is for the next one
    ("2027-05-15", "closing", "finalized", 1630),  # 100 x 6 + 10 x 3 + 1000
    ("2027-06-15", "closing", "void", 1300),  # 50 x 6 + 1000
    ("2027-06-15", "closing", "finalized", 1360),  # made anew, with 10 x 6 that came late
    ("2027-07-15", "closing", "finalized", 1240),  # 40 x 6 + 1000, cut by the change of plan
    ("2027-08-01", "interim", "finalized", 240),  # 60 x 4
    ("2027-08-01", "closing", "finalized", 2160),  # 100 x 4 + 2000, less the 240
    ("2027-09-01", "closing", "finalized", 2000),
    ("2027-10-01", "closing", "finalized", 2100),  # 25 x 4 + 2000
    ("2027-11-01", "closing", "finalized", 2000),
    ("2027-12-01", "closing", "finalized", 2020),  # 5 x 4 + 2000, the last
]
_keys = (f"use-{number}" for number in itertools.count(1))


def use(api, units, **fields):
    api.ingest(event(next(_keys), name="call", properties={"n": units}, **fields))


def told(invoice):
    """When its period began, what it is, how it stands, and what it comes to in whole naira."""
    start, total = invoice["period_start"][:10], invoice["total"].removesuffix(".000000")
    return start, invoice["kind"], invoice["status"], int(total)


def bills(api):
    invoices = api.get("/v1/invoices").json()["invoices"]
    return sorted(invoices, key=lambda item: (item["period_start"], item["created_at"]))


def test_a_year_of_bills(api, clock):
    clock("2027-01-01T00:00:00Z")
    metric = api.metric("call", aggregation="sum", aggregation_property="n")["id"]
    price = {"metric_id": metric, "model": "tiered", "tiers": TIERS}
    plan = api.plan(price, base_fee="1000", trial_period_days=14)
    flat = {"metric_id": metric, "model": "flat_unit", "unit_price": "4"}
    pro = api.plan(flat, base_fee="2000")
    subscription = api.subscribe(api.customer()["id"], plan["id"])["id"]
    path = f"/v1/subscriptions/{subscription}"
    use(api, 500)  # in the trial
    clock("2027-01-20T00:00:00Z")
    use(api, 150)
    clock("2027-02-20T00:00:00Z")
    use(api, 80)
    use(api, 30, timestamp="2027-02-10T00:00:00Z")  # late: January's have come to 180
    api.post(f"/v1/invoices/{bills(api)[0]['id']}/mark-paid", json={"reference": "cash"})
    clock("2027-04-01T00:00:00Z")
    use(api, 100, timestamp="2027-03-20T00:00:00Z")
    api.patch(path, json={"status": "paused"})
    clock("2027-04-10T00:00:00Z")
    use(api, 70, timestamp="2027-04-05T00:00:00Z")  # in the pause
    api.patch(path, json={"status": "active"})
    use(api, 20)
    clock("2027-04-20T00:00:00Z")
    use(api, 100)
    revised = {"id": plan["prices"][0]["id"], **price, "tiers": DEARER}
    api.put(f"/v1/plans/{plan['id']}", json={"apply_to": "next_period", "prices": [revised]})
    clock("2027-05-20T00:00:00Z")
    use(api, 110)
    clock("2027-06-20T00:00:00Z")
    use(api, 50)
    clock("2027-07-20T00:00:00Z")
    api.post(f"/v1/invoices/{bills(api)[-1]['id']}/void")
    use(api, 10, timestamp="2027-07-10T00:00:00Z")
    june = {"subscription_id": subscription, "period_start": "2027-06-15T00:00:00Z"}
    api.finalize(api.make("/v1/invoices/generate", june, "invoice")["id"])
    use(api, 40)
    clock("2027-08-01T00:00:00Z")
    api.patch(path, json={"plan_id": pro["id"]})
    use(api, 60)
    api.finalize(api.draft(subscription)["id"])
    use(api, 40)
    clock("2027-10-10T00:00:00Z")
    use(api, 25)
    clock("2027-12-10T00:00:00Z")
    use(api, 5)
    api.patch(path, json={"cancel_at_period_end": True})

    clock("2028-03-01T00:00:00Z")

    assert [told(bill) for bill in bills(api)] == YEAR
