"""A person decides by the API what became of money that a provider says nothing of."""

import pytest

from monigo.payments.refunds import Destination, NewRefund
from support.charges import Till, naira


@pytest.fixture
def till(api, connections):
    api.backend.simulated.control("clear")
    return Till(api, connections["paystack"])


def resolve(api, transaction_id, **body):
    path = f"/v1/transactions/{transaction_id}/resolve"
    return api.post(path, json={"note": "seen on the dashboard", **body})


def test_a_person_resolves_a_pull(till):
    till.script("charge", "drop_before")
    pull = till.submit(till.pull(till.card(), "700"))

    answer = resolve(till.api, pull.id, outcome="succeeded", provider_id="4099260516")

    told = answer.json()["transaction"]
    assert (answer.status_code, told["status"], told["kind"]) == (200, "succeeded", "pull")
    assert (told["amount"], told["note"]) == ("700.000000", "seen on the dashboard")
    assert [row["amount"] for row in till.payments()][-1] == 700
    again = resolve(till.api, pull.id, outcome="failed")
    assert (again.status_code, again.json()["code"]) == (409, "transaction_settled")


def test_a_person_resolves_a_refund(till):
    link = till.submit(till.checkout())
    till.pay(link)
    till.submit(link)
    (payment,) = till.payments()
    till.script("refund", "drop_before")
    refund = till.submit_refund(
        till.refund(
            NewRefund(
                payment_id=payment["id"],
                amount=naira("700"),
                reason="late",
                destination=Destination.PROVIDER,
            )
        )
    )

    answer = resolve(till.api, refund.id, outcome="failed")

    told = answer.json()["transaction"]
    assert (told["status"], told["kind"], told["error_code"]) == ("failed", "refund", "resolved")
    assert till.payments()[0]["refunded"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"outcome": "pending"}, "outcome"),
        ({"outcome": "failed", "note": None}, "note"),
        ({}, "outcome"),
    ],
)
def test_what_a_person_says_is_whole(api, body, field):
    answer = resolve(api, "0190b5a4-0000-7000-8000-000000000000", **body)

    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])


def test_what_is_unknown_is_404(api):
    answer = resolve(api, "0190b5a4-0000-7000-8000-000000000000", outcome="failed")

    assert (answer.status_code, answer.json()["code"]) == (404, "transaction_not_found")


def test_what_a_person_must_resolve_is_on_the_start_page(till):
    card = till.card()
    till.script("charge", "drop_before")
    till.script("lookup", "not_found", times=99)
    pull = till.submit(till.pull(card, "700"))
    till.api.backend.clock.advance(hours=72, seconds=1)
    till.submit(pull)
    till.api.backend.simulated.control("clear")

    needs = till.api.get("/api/v1/dashboard").json()["dashboard"]["needs_person"]

    (one,) = [need for need in needs if need["kind"] == "transactions_to_resolve"]
    assert (one["count"], one["subject_ids"]) == (1, [str(pull.id)])
