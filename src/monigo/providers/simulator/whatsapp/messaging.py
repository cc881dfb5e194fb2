"""WhatsApp's endpoints: a number that is looked up, and messages that are sent from it."""

import secrets

from monigo.providers.simulator.books import Message
from monigo.providers.simulator.engine import SETTLE_MS, Simulator
from monigo.providers.simulator.protocol import Ask, Reply, RouteOf
from monigo.providers.simulator.whatsapp.shapes import DISPLAY_NUMBER, NAME, proves, refusal

UNDELIVERABLE = "131026"
# What WhatsApp reports of a message that arrives, one after the other.
_ARRIVES = ("sent", "delivered")
_OPAQUE_LENGTH_MAX = 512


async def phone(ask: Ask) -> Reply:
    """A number, for a merchant with the right token and the app's secret."""
    refused = _refused(ask)
    if refused is not None:
        return refused
    return Reply(
        200,
        {
            "id": ask.path["number"],
            "display_phone_number": DISPLAY_NUMBER,
            "verified_name": "Lagos Rides",
        },
    )


async def send(ask: Ask) -> Reply:
    """Take a template message, and report what becomes of it by webhooks."""
    refused = _refused(ask)
    if refused is not None:
        return refused
    template = ask.body.get("template")
    to = ask.text("to").lstrip("+")
    is_whole = (
        ask.body.get("messaging_product") == NAME
        and ask.body.get("type") == "template"
        and isinstance(template, dict)
        and bool(template.get("name"))
        and to.isdecimal()
        and len(ask.text("biz_opaque_callback_data")) <= _OPAQUE_LENGTH_MAX
    )
    if not is_whole or not isinstance(template, dict):
        return refusal(400, 100)
    components = template.get("components") or [{"parameters": []}]
    message = ask.simulator.books.keep(
        Message(
            id=ask.simulator.books.new_id(),
            provider=NAME,
            merchant=ask.merchant.merchant,
            reference=ask.text("biz_opaque_callback_data"),
            code=f"wamid.HBg{secrets.token_hex(16).upper()}",
            to=to,
            template=str(template["name"]),
            language=str((template.get("language") or {}).get("code")),
            parameters=[str(one.get("text")) for one in components[0]["parameters"]],
            status="accepted",
        )
    )
    if ask.outcome != "pending":
        ask.simulator.later(SETTLE_MS, lambda: _arrive(ask.simulator, message, ask.outcome))
    return Reply(
        200,
        {
            "messaging_product": NAME,
            "contacts": [{"input": ask.text("to"), "wa_id": to}],
            "messages": [{"id": message.code, "message_status": "accepted"}],
        },
    )


async def _arrive(simulator: Simulator, message: Message, outcome: str) -> None:
    if outcome == "failed":
        await simulator.settle_message(message, "failed", UNDELIVERABLE)
        return
    for status in _ARRIVES:
        await simulator.settle_message(message, status)


def _refused(ask: Ask) -> Reply | None:
    """A refusal that was scripted, by Meta's code; or of a number or secret of somebody else."""
    if ask.outcome.isdecimal() and ask.outcome not in {"429", "500"}:
        return refusal(400, int(ask.outcome))
    if not proves(ask.merchant, ask.query.get("appsecret_proof", "")):
        return refusal(400, 100, "Invalid appsecret_proof provided in the API argument")
    number = ask.merchant.public_key
    if number and ask.path["number"] != number:
        said = f"Object with ID '{ask.path['number']}' does not exist, or can't be loaded"
        return refusal(400, 100, said)
    return None


ROUTES: tuple[RouteOf, ...] = (
    ("POST", "/{number}/messages", "message", send),
    ("GET", "/{number}", "number", phone),
)
