"""The page by which somebody stops notices to an address; a mail program does so by one click.

To open the page changes nothing, since mail scanners open every link. The link's token is all
that is asked for: it is sealed, and stops no more than notices to the address that it was sent to.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from jinja2 import Environment, StrictUndefined
from starlette.responses import HTMLResponse, Response

from monigo import tenancy
from monigo.api.kernel.routes.declarations import public
from monigo.api.kernel.routes.open import OpenRoute
from monigo.bootstrap import Services
from monigo.infra.languages import Language, language_of
from monigo.notifications import mails
from monigo.notifications.mails import PATH

router = APIRouter(route_class=OpenRoute, include_in_schema=False)

Token = Annotated[str, Path()]

_PAGE = Environment(autoescape=True, undefined=StrictUndefined).from_string(
    """<!doctype html>
<html lang="{{ language.tag }}" dir="{{ 'rtl' if language.is_from_right else 'ltr' }}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>{{ title }}</title></head>
<body><main><h1>{{ title }}</h1><p>{{ sentence }}</p>
{% if button %}<form method="post"><button name="stop">{{ button }}</button></form>{% endif %}
</main></body></html>
"""
)
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@router.get(PATH + "/{token}")
@public
async def show_unsubscribe_page(request: Request, token: Token) -> Response:
    """Ask whether to stop notices."""
    return await _answer(request, token, stops=False)


@router.post(PATH + "/{token}")
@public
async def unsubscribe(request: Request, token: Token) -> Response:
    """Stop notices, once and for all times that it is asked for."""
    return await _answer(request, token, stops=True)


async def _answer(request: Request, token: str, *, stops: bool) -> Response:
    services: Services = request.app.state.services
    found = services.unsubscribe_links.read(token)
    if found is None:
        language = language_of(request.headers.get("accept-language", "")[:2])
        return _page(language, language.text("unsubscribe.unknown"), status=404)
    language = language_of(found.locale)
    async with services.database.transaction(found.tenant) as tx:
        organization = await tenancy.get_organization(tx)
        if stops:
            await mails.unsubscribe(tx, found)
    key = "unsubscribe.done" if stops else "unsubscribe.question"
    sentence = language.text(key, organization=organization.name, email=found.address)
    if stops:
        return _page(language, sentence)
    return _page(language, sentence, button=language.text("unsubscribe.button"))


def _page(language: Language, sentence: str, *, button: str = "", status: int = 200) -> Response:
    title = language.text("unsubscribe.title")
    page = _PAGE.render(language=language, title=title, sentence=sentence, button=button)
    return HTMLResponse(page, status, _HEADERS)
