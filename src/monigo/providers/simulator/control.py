"""The control face: JSON by which tests and people script faults, pay, and look at the books."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from json import JSONDecodeError
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monigo.core.money import format_decimal
from monigo.infra import json
from monigo.providers.simulator.books import (
    Account,
    Charge,
    Message,
    Refund,
    Row,
    Transfer,
    Written,
)
from monigo.providers.simulator.engine import CARDS, DECLINED_CARD, Simulator
from monigo.providers.simulator.protocol import number_of
from monigo.providers.simulator.script import (
    OF_ANSWERS,
    OF_WEBHOOKS,
    PROVIDERS,
    VERBS,
    WEBHOOK,
    Scripted,
)

# Longer waits are mistakes of the script.
DELAY_MS_MAX = 10 * 60 * 1000
TIMES_MAX = 10_000
_METHODS = {"decline": DECLINED_CARD, "card": "", "bank_transfer": "bank_transfer"}
_ENDS = ("success", "failed", "reversed", "abandoned")
_MESSAGE_STATUSES = ("sent", "delivered", "read", "failed")
_UNDELIVERABLE = 131026
Action = Callable[[Simulator, dict[str, Any]], Awaitable[Any]]


class RefusedError(Exception):
    """A request that makes no sense, and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def routes(simulator: Simulator) -> list[Route]:
    """The control face's routes."""
    actions: dict[str, Action] = {
        "pay": _pay,
        "deposit": _deposit,
        "next": _next,
        "settle": _settle,
        "merchants": _set_merchant,
        "rotate": _rotate,
        "balance": _set_balance,
        "write": _write,
        "advance": _advance,
        "clear": _clear,
    }
    made = [_action(simulator, name, action) for name, action in actions.items()]
    return [*made, Route("/control/books", _books_of(simulator), methods=["GET"])]


def _action(simulator: Simulator, name: str, action: Action) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            _refuse_browsers(request)
            return _json(200, await action(simulator, _object(await request.body())))
        except RefusedError as error:
            return _json(error.status, {"error": str(error)})

    return Route(f"/control/{name}", endpoint, methods=["POST"])


def _refuse_browsers(request: Request) -> None:
    """A page from anywhere could have a browser on this machine ask: those send an Origin."""
    if "origin" in request.headers:
        raise RefusedError(403, "requests with an Origin are refused")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.decode(raw or b"{}")
    except (JSONDecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        raise RefusedError(400, "the body must be an object of JSON")
    return body


def _json(status: int, body: Any) -> Response:
    return Response(json.encode(body), status, media_type="application/json")


def _one_of(body: dict[str, Any], name: str, known: Any) -> str:
    value = body.get(name)
    if value not in known:
        raise RefusedError(400, f"{name} must be one of {', '.join(sorted(known))}")
    return str(value)


def _whole(body: dict[str, Any], name: str, usual: int, most: int) -> int:
    value = body.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise RefusedError(400, f"{name} must be a whole number up to {most}")
    return value


def _amount(body: dict[str, Any], *, is_needed: bool) -> Decimal | None:
    if body.get("amount") is None and not is_needed:
        return None
    amount = number_of(body.get("amount"))
    if amount is None:
        raise RefusedError(400, "amount must be a number above zero")
    return amount


async def _next(simulator: Simulator, body: dict[str, Any]) -> Any:
    provider = _one_of(body, "provider", PROVIDERS)
    verb = _one_of(body, "verb", VERBS)
    # A number is how one would write 500 and 429.
    given = {**body, "outcome": str(body.get("outcome"))}
    outcome = _one_of(given, "outcome", OF_WEBHOOKS if verb == WEBHOOK else OF_ANSWERS)
    times = max(1, _whole(body, "times", 1, TIMES_MAX))
    delay_ms = _whole(body, "delay_ms", 0, DELAY_MS_MAX)
    simulator.script.add(provider, verb, Scripted(outcome, times, delay_ms))
    return {"scripted": times}


def _row_of(simulator: Simulator, body: dict[str, Any]) -> Charge | Transfer | Refund:
    provider, reference = _one_of(body, "provider", PROVIDERS), str(body.get("reference"))
    for kind in (Charge, Transfer, Refund):
        found = [
            row
            for row in simulator.books.all(kind, provider=provider)
            if reference in {row.reference, row.note if isinstance(row, Refund) else None}
        ]
        if found:
            return found[0]
    raise RefusedError(404, f"{provider} knows no reference {reference}")


async def _pay(simulator: Simulator, body: dict[str, Any]) -> Any:
    """A payer completes a checkout; what waits otherwise under the reference is settled."""
    row, amount = _row_of(simulator, body), _amount(body, is_needed=False)
    method = str(body.get("method") or "card")
    if method not in _METHODS and method not in CARDS:
        raise RefusedError(400, f"method must be a test card or one of {', '.join(_METHODS)}")
    if isinstance(row, Charge):
        await simulator.pay(row, amount=amount, card=_METHODS.get(method, method))
    elif isinstance(row, Transfer):
        await simulator.settle_transfer(row, "success")
    else:
        await simulator.settle_refund(row, "success")
    return {"reference": row.reference, "status": row.status}


async def _settle(simulator: Simulator, body: dict[str, Any]) -> Any:
    """What is under way ends so, or what ended is reversed."""
    if body.get("provider") == "whatsapp":
        return await _settle_message(simulator, body)
    row, status = _row_of(simulator, body), _one_of(body, "status", _ENDS)
    reason = str(body.get("reason") or "")
    if isinstance(row, Transfer):
        await simulator.settle_transfer(row, status, reason)
    elif isinstance(row, Refund):
        await simulator.settle_refund(row, status, reason)
    elif status == "success":
        await simulator.succeed(row)
    elif status == "reversed":
        await simulator.reverse_charge(row)
    else:
        row.status, row.reason = status, reason or "Declined"
        simulator.books.keep(row)
        await simulator.notify(row)
    return {"reference": row.reference, "status": row.status}


async def _settle_message(simulator: Simulator, body: dict[str, Any]) -> Any:
    """A message's next status; `reason` is Meta's code, where it failed."""
    status = _one_of(body, "status", _MESSAGE_STATUSES)
    reference = str(body.get("reference"))
    message = simulator.books.one(Message, provider="whatsapp", reference=reference)
    if message is None:
        raise RefusedError(404, f"whatsapp knows no reference {reference}")
    code = _whole(body, "reason", _UNDELIVERABLE, 10**9)
    await simulator.settle_message(message, status, str(code) if status == "failed" else "")
    return {"reference": reference, "status": status}


async def _write(simulator: Simulator, body: dict[str, Any]) -> Any:
    """Somebody writes a text to the number of a merchant at WhatsApp."""
    given = {name: body.get(name) for name in ("secret_key", "phone", "text")}
    if not all(isinstance(value, str) and value for value in given.values()):
        raise RefusedError(400, "secret_key, phone and text are required")
    row_id = simulator.books.new_id()
    row = Written(
        id=row_id,
        provider="whatsapp",
        merchant=str(given["secret_key"]),
        at=str(int(simulator.now().timestamp())),
        code=f"wamid.HBg{row_id:032X}",
        to=str(given["phone"]),
        text=str(given["text"]),
    )
    await simulator.notify(simulator.books.keep(row))
    return {"id": row.code}


async def _deposit(simulator: Simulator, body: dict[str, Any]) -> Any:
    provider, number = _one_of(body, "provider", PROVIDERS), str(body.get("account_number"))
    account = simulator.books.one(Account, provider=provider, number=number, is_active=True)
    if account is None:
        raise RefusedError(404, f"{provider} has no open account {number}")
    amount = _amount(body, is_needed=True)
    currency = str(body.get("currency") or account.currency)
    charge = await simulator.deposit(account, amount or Decimal(0), currency)
    return {"provider_id": charge.id, "reference": charge.reference, "status": charge.status}


async def _set_merchant(simulator: Simulator, body: dict[str, Any]) -> Any:
    """Where a merchant's webhooks go; Flutterwave's carry a secret that the merchant chose."""
    provider, key = _one_of(body, "provider", PROVIDERS), body.get("secret_key")
    if not isinstance(key, str) or not key:
        raise RefusedError(400, "secret_key is required")
    merchant = simulator.merchant(provider, key, str(body.get("public_key") or ""))
    url = str(body.get("webhook_url") or "")
    if url and not url.startswith(("http://", "https://")):
        raise RefusedError(400, "webhook_url must be a URL")
    merchant.webhook_url = url
    merchant.webhook_secret = str(body.get("webhook_secret") or "")
    simulator.books.keep(merchant)
    return {"provider": provider, "webhook_url": url}


async def _rotate(simulator: Simulator, body: dict[str, Any]) -> Any:
    """A merchant gets another secret key; the old one is another merchant's from then on."""
    provider = _one_of(body, "provider", PROVIDERS)
    before, after = str(body.get("secret_key") or ""), str(body.get("new_secret_key") or "")
    if not before or not after:
        raise RefusedError(400, "secret_key and new_secret_key are required")
    return {"rows": simulator.books.rename(provider, before, after)}


async def _set_balance(simulator: Simulator, body: dict[str, Any]) -> Any:
    provider, key = _one_of(body, "provider", PROVIDERS), str(body.get("secret_key"))
    merchant = simulator.merchant(provider, key)
    currency = str(body.get("currency") or "NGN")
    # Nought is a balance, too.
    amount = Decimal(0) if body.get("amount") in {0, "0"} else _amount(body, is_needed=True)
    merchant.balances[currency] = amount or Decimal(0)
    simulator.books.keep(merchant)
    return {"currency": currency, "amount": format_decimal(merchant.balances[currency])}


async def _advance(simulator: Simulator, body: dict[str, Any]) -> Any:
    await simulator.advance(_whole(body, "seconds", 0, 366 * 86_400))
    return {"now": simulator.now().isoformat()}


async def _clear(simulator: Simulator, body: dict[str, Any]) -> Any:
    """Script nothing any more; and forget all rows, unless only the scripts are to go."""
    if body.get("only") is None:
        simulator.clear()
    else:
        _one_of(body, "only", ("scripts",))
    simulator.script.clear()
    return {}


def _books_of(simulator: Simulator) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            _refuse_browsers(request)
            wanted = request.query_params.get("provider")
            if wanted is not None:
                _one_of({"provider": wanted}, "provider", PROVIDERS)
            return _json(200, books_of(simulator, wanted))
        except RefusedError as error:
            return _json(error.status, {"error": str(error)})

    return endpoint


def books_of(simulator: Simulator, provider: str | None) -> dict[str, list[dict[str, Any]]]:
    """What is in the books of a provider, or of all, oldest first."""
    whose = {"provider": provider} if provider else {}
    books = simulator.books
    charges = [*books.all(Charge, **whose)]
    return {
        "charges": [_shown(one, to=one.email) for one in charges if not one.number],
        "transfers": [_shown(one, to=one.to) for one in books.all(Transfer, **whose)],
        "refunds": [
            {
                **_shown(one, to=charge.email if charge else ""),
                "reference": one.reference or one.note,
                "charge": charge.reference if charge else None,
            }
            for one in books.all(Refund, **whose)
            for charge in (books.get(Charge, one.charge),)
        ],
        "deposits": [_shown(one, to=one.number) for one in charges if one.number],
        "messages": [_shown_message(one) for one in books.all(Message, **whose)],
    }


def _shown_message(row: Message) -> dict[str, Any]:
    return {
        "id": row.code,
        "provider": row.provider,
        "reference": row.reference,
        "to": row.to,
        "template": row.template,
        "language": row.language,
        "parameters": row.parameters,
        "status": row.status,
    }


def _shown(row: Row, *, to: str) -> dict[str, Any]:
    if not isinstance(row, Charge | Transfer | Refund):
        return {}
    paid = row.paid if isinstance(row, Charge) else None
    return {
        "id": row.id,
        "provider": row.provider,
        "reference": row.reference,
        "amount": format_decimal(paid or row.amount),
        "currency": row.currency,
        "status": row.status,
        "to": to,
    }
