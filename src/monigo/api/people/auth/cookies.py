"""The refresh token of browsers: a cookie that no script reads and no other site sends."""

from urllib.parse import urlsplit

from fastapi import Request, Response

from monigo.bootstrap import Services
from monigo.infra.settings import public_url_of
from monigo.people import SESSION_LIFE

COOKIE = "monigo_refresh"
PATH = "/api/v1/auth"
# What our own pages send, which keep no refresh token.
CLIENT_HEADER, BROWSER = "x-monigo-client", "web"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_browser(request: Request) -> bool:
    """Whether a page of ours asks, which gets a cookie."""
    return request.headers.get(CLIENT_HEADER) == BROWSER


def give(request: Request, response: Response, refresh_token: str) -> None:
    """Have the browser keep a refresh token; an empty one has it forget."""
    response.set_cookie(
        COOKIE,
        refresh_token,
        max_age=int(SESSION_LIFE.total_seconds()) if refresh_token else 0,
        path=PATH,
        secure=not _is_loopback_http(request),
        httponly=True,
        samesite="strict",
    )


def presented(request: Request) -> str:
    """The refresh token that a browser sends, from a page of ours; empty where there is none."""
    token = request.cookies.get(COOKIE, "")
    return token if token and _is_ours(request) else ""


def _is_ours(request: Request) -> bool:
    """Whether the requesting page is of this installation, by its browser's Origin header."""
    services: Services = request.app.state.services
    origin = request.headers.get("origin", "")
    if origin == public_url_of(services.settings):
        return True
    is_local = services.settings.public_url is None and _is_loopback_http(request)
    return is_local and origin == f"http://{request.headers.get('host', '')}"


def _is_loopback_http(request: Request) -> bool:
    services: Services = request.app.state.services
    known = public_url_of(services.settings) if services.settings.public_url else ""
    host = urlsplit(known or f"http://{request.headers.get('host', '')}")
    return host.scheme == "http" and host.hostname in _LOOPBACK
