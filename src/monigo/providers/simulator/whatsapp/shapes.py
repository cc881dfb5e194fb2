"""WhatsApp's shapes: errors, answers and webhooks, as the simulator writes them."""

import hashlib
import hmac
from typing import Any

from starlette.requests import Request

from monigo.infra import json
from monigo.providers.simulator.books import Merchant, Message, Row, Written
from monigo.providers.simulator.engine import Simulator
from monigo.providers.simulator.protocol import Reply, Shapes, bearer

NAME = "whatsapp"
# What a token begins with here; the real ones go on differently.
TOKEN_START = "EAASIM"  # noqa: S105 - no token, but how one begins
ACCOUNT_ID = "102290129340398"
DISPLAY_NUMBER = "+234 803 555 0100"

# What Meta says by its codes; any other is said by its number.
_SAID = {
    100: "(#100) Invalid parameter",
    190: "Error validating access token: The session has been invalidated",
    130429: "(#130429) Rate limit hit",
    131000: "(#131000) Something went wrong",
    131026: "Message undeliverable",
    131042: "(#131042) Business eligibility payment issue",
    131056: "(#131056) (Business Account, Consumer Account) pair rate limit hit",
    132001: "(#132001) Template name does not exist in the translation",
}
_CODES = {"rate_limited": 130429, "unknown": 131000, "not_found": 100, "invalid_params": 100}


def refusal(status: int, code: int, details: str = "") -> Reply:
    """Meta's error."""
    error = {
        "message": _SAID.get(code, f"(#{code}) Refused"),
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": NAME, "details": details},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
    }
    return Reply(status, {"error": error})


def _error(status: int, code: str, message: str) -> Reply:
    return refusal(status, _CODES[code], message)


def _duplicate(verb: str) -> Reply:
    return refusal(400, 100, f"WhatsApp knows no duplicates: {verb}")


def _merchant(simulator: Simulator, request: Request) -> Merchant | None:
    """A merchant by the token; with another proof of the app's secret it is nobody's."""
    token = bearer(request)
    return simulator.merchant(NAME, token) if token.startswith(TOKEN_START) else None


def proves(merchant: Merchant, proof: str) -> bool:
    """Whether a request shows that it has the app's secret, as far as that is known."""
    if not merchant.webhook_secret:
        return True
    made = hmac.new(merchant.webhook_secret.encode(), merchant.merchant.encode(), hashlib.sha256)
    return made.hexdigest() == proof


SHAPES = Shapes(NAME, _error, _duplicate, _merchant, refusal(401, 190))


def event(simulator: Simulator, row: Row, merchant: Merchant) -> tuple[str, str, bytes] | None:
    """The webhook of a message's status, or of what somebody wrote."""
    match row:
        case Message():
            value = {"statuses": [_status(row)]}
        case Written():
            value = {"messages": [_written(row)]}
        case _:
            return None
    del simulator
    number = merchant.public_key
    metadata = {"display_phone_number": DISPLAY_NUMBER, "phone_number_id": number}
    reported = {"messaging_product": NAME, "metadata": metadata, **value}
    change = {"field": "messages", "value": reported}
    body = json.encode(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": ACCOUNT_ID, "changes": [change]}],
        }
    ).encode()
    made = hmac.new(merchant.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
    return "X-Hub-Signature-256", f"sha256={made}", body


def _status(message: Message) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": message.code,
        "status": message.status,
        "timestamp": message.at,
        "recipient_id": message.to,
        "biz_opaque_callback_data": message.reference,
    }
    if message.status == "failed":
        code = int(message.reason)
        said = _SAID.get(code, "Message failed")
        shown["errors"] = [{"code": code, "title": said, "message": said}]
    else:
        shown["pricing"] = {"billable": True, "pricing_model": "PMP", "category": "utility"}
    return shown


def _written(row: Written) -> dict[str, Any]:
    return {
        "from": row.to,
        "id": row.code,
        "timestamp": row.at,
        "type": "text",
        "text": {"body": row.text},
    }
