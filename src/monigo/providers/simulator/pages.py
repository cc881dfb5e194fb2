"""Pages for people: the hosted checkout, and all that there is to pay, to send and to decide."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from monigo.providers.simulator.books import Account, Charge, Transfer
from monigo.providers.simulator.engine import CARDS, Simulator
from monigo.providers.simulator.monnify.shapes import reference_of
from monigo.providers.simulator.protocol import number_of

_SHOWN_MAX = 100
_ID_LENGTH_MAX = 20
_environment = Environment(autoescape=True)
_LAYOUT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}td,th{{text-align:left;padding:.3rem .6rem;
border-bottom:1px solid #ddd}}form{{display:inline}}button{{font:inherit;padding:.2rem .7rem}}
</style>{body}</html>"""
_CHECKOUT = _environment.from_string(
    _LAYOUT.format(
        title="Pay",
        body="""
<h1>{{ charge.amount }} {{ charge.currency }}</h1>
<p>{{ charge.provider }}, {{ charge.reference }}, {{ charge.email }}: {{ charge.status }}</p>
{% if is_open %}<form method="post">
<p><label>How: <select name="card">
{% for number, (name, _) in cards.items() %}<option value="{{ number }}">{{ name }}, {{ number }}
</option>{% endfor %}<option value="bank_transfer">Bank transfer</option></select></label></p>
<p><label>Amount: <input name="amount" value="{{ charge.amount }}"></label></p>
<p><button>Pay</button></p></form>{% else %}<p>There is nothing to pay here.</p>{% endif %}
<p>This is a simulator: no money moves.</p>""",
    )
)
_OVERVIEW = _environment.from_string(
    _LAYOUT.format(
        title="Simulator",
        body="""
<h1>Payment providers, simulated</h1><h2>Checkouts and charges</h2><table>
{% for one in charges %}<tr><td>{{ one.provider }}<td>{{ one.reference }}<td>{{ one.amount }}
{{ one.currency }}<td>{{ one.status }}<td>{% if one.code and one.status != "success" %}
<a href="/checkout/{{ one.code }}">pay</a>{% endif %}</tr>{% endfor %}</table>
<h2>Accounts</h2><table>{% for one in accounts %}<tr><td>{{ one.provider }}<td>{{ one.number }}
<td>{{ one.name }}<td><form method="post" action="/page/deposit">
<input type="hidden" name="id" value="{{ one.id }}"><input name="amount" value="1000" size="8">
<button>deposit</button></form></tr>{% endfor %}</table>
<h2>Transfers</h2><table>{% for one in transfers %}<tr><td>{{ one.provider }}
<td>{{ one.reference }}<td>{{ one.amount }} {{ one.currency }}<td>{{ one.name }}, {{ one.to }}
<td>{{ one.status }}<td>{% for status in choices[one.status] %}
<form method="post" action="/page/settle"><input type="hidden" name="id" value="{{ one.id }}">
<input type="hidden" name="status" value="{{ status }}"><button>{{ status }}</button></form>
{% endfor %}</tr>{% endfor %}</table>""",
    )
)
_CHOICES = {
    "pending": ("success", "failed"),
    "otp": ("success", "abandoned"),
    "success": ("reversed",),
    "failed": (),
    "reversed": (),
    "abandoned": (),
}


def routes(simulator: Simulator) -> list[Route]:
    """The pages' routes."""

    async def overview(request: Request) -> Response:
        del request
        books = simulator.books
        return HTMLResponse(
            _OVERVIEW.render(
                charges=[one for one in books.all(Charge) if not one.number][
                    : -_SHOWN_MAX - 1 : -1
                ],
                accounts=[*books.all(Account)][: -_SHOWN_MAX - 1 : -1],
                transfers=[*books.all(Transfer)][: -_SHOWN_MAX - 1 : -1],
                choices=_CHOICES,
            )
        )

    async def checkout(request: Request) -> Response:
        code = request.path_params["code"]
        charge = simulator.books.one(Charge, code=code)
        if charge is None:
            return HTMLResponse("There is no such link.", 404)
        if request.method == "GET":
            is_open = charge.status not in {"success", "reversed"}
            return HTMLResponse(_CHECKOUT.render(charge=charge, cards=CARDS, is_open=is_open))
        form = await _form(request)
        if not form:
            return _strange()
        amount = number_of(form.get("amount"))
        await simulator.pay(charge, amount=amount, card=form.get("card", ""))
        return RedirectResponse(_back(charge) or "/", 303)

    async def deposit(request: Request) -> Response:
        form = await _form(request)
        account = simulator.books.get(Account, _id_in(form))
        amount = number_of(form.get("amount"))
        if account is None or amount is None:
            return _strange()
        await simulator.deposit(account, amount, account.currency)
        return RedirectResponse("/", 303)

    async def settle(request: Request) -> Response:
        form = await _form(request)
        transfer = simulator.books.get(Transfer, _id_in(form))
        if transfer is None or form.get("status") not in _CHOICES[transfer.status]:
            return _strange()
        await simulator.settle_transfer(transfer, form["status"])
        return RedirectResponse("/", 303)

    return [
        Route("/", overview, methods=["GET"]),
        Route("/checkout/{code}", checkout, methods=["GET", "POST"]),
        Route("/page/deposit", deposit, methods=["POST"]),
        Route("/page/settle", settle, methods=["POST"]),
    ]


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form of our own page; nothing of one that another page sent."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return {}
    return dict(parse_qsl((await request.body()).decode(errors="replace")))


def _id_in(form: dict[str, str]) -> int:
    given = form.get("id", "")
    return int(given) if given.isdecimal() and len(given) < _ID_LENGTH_MAX else 0


def _strange() -> Response:
    return HTMLResponse("This can't be done.", 400)


def _back(charge: Charge) -> str:
    """Where a payer is sent after paying, with what each provider adds. Proof of nothing."""
    if not charge.return_url.startswith(("http://", "https://")):
        return ""
    added = {
        "paystack": {"trxref": charge.reference, "reference": charge.reference},
        "flutterwave": {
            "status": "successful" if charge.status == "success" else "cancelled",
            "tx_ref": charge.reference,
            "transaction_id": charge.id,
        },
        "monnify": {
            "paymentReference": charge.reference,
            "transactionReference": reference_of(charge),
        },
    }[charge.provider]
    mark = "&" if "?" in charge.return_url else "?"
    return f"{charge.return_url}{mark}{urlencode(added)}"
