"""Every operation that a customer changes something by in the portal, as `operations` has them."""

from audit.operations import SOMETHING, edited, gone, made
from audit.world import World
from support.charges import plant_payments

CARD = "1111"


def _by_wallet(world):
    return {"wallet_id": world.api.wallet(funds="1000")["id"]}


def _by_card(world):
    (method,) = world.api.get("/v1/customers/c1/payment-methods").json()["payment_methods"]
    return {"payment_method_id": method["id"]}


def _of_card(world):
    return world.method().rpartition("/")[2]


def _payable_by_card(world):
    invoice_id = world.collected()
    (connection,) = world.api.get("/v1/payment-connections").json()["payment_connections"]
    plant_payments(world.api, world.api.wallet()["id"], connection["id"])
    return invoice_id


def _own_wallet(world):
    world.collected()
    return world.api.wallet()["id"]


OF_PORTAL = {
    "pay_own_invoice": made(
        "POST invoices/{}/pay", "transaction", World.collected, kind="checkout"
    ),
    "pay_own_invoice_with_card": made(
        "POST invoices/{}/pay-with-card",
        "transaction",
        _payable_by_card,
        body=_by_card,
        amount="500.000000",
    ),
    "pay_own_invoice_with_wallet": edited(
        "POST invoices/{}/pay-with-wallet",
        "invoice",
        World.collected,
        body=_by_wallet,
        status=("finalized", "paid"),
        amount_paid=("0.000000", "500.000000"),
        amount_due=("500.000000", "0.000000"),
        paid_at=SOMETHING,
    ),
    "fund_own_wallet": made(
        "POST wallets/{}/fund",
        "transaction",
        _own_wallet,
        body={"amount": "5000"},
        amount="5000.000000",
    ),
    "set_up_own_payment_method": made(
        "POST payment-methods/setup", "transaction", World.payable, purpose="card_setup"
    ),
    "set_own_default_payment_method": edited(
        "PUT payment-methods/{}/default", "payment_method", _of_card, is_default=(False, True)
    ),
    "delete_own_payment_method": gone(
        "DELETE payment-methods/{}", "payment_method", _of_card, last4=CARD
    ),
    "cancel_own_subscription": edited(
        "POST subscriptions/{}/cancel",
        "subscription",
        World.subscription,
        cancel_at_period_end=(False, True),
        cancel_at=SOMETHING,
    ),
}
