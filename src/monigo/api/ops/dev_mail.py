"""/dev/mail: the mails of a demo without a mail server, shown on this machine only."""

import asyncio
import email
from email.message import EmailMessage
from email.policy import default
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, Response

from monigo.api.kernel.http.errors import plain_error
from monigo.api.kernel.routes.declarations import public
from monigo.infra.mail import mail_directory
from monigo.infra.settings import Settings

PATH = "/dev/mail"
MAILS_MAX = 50
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def add_dev_mail(app: FastAPI, settings: Settings) -> None:
    """Serve the page where the demo runs on a loopback address and mails are files; else nothing.

    Its readers can take over each account, so it answers to this machine's own host names only: a
    page elsewhere whose name resolves to this machine (DNS rebinding) gets nothing.
    """
    if not settings.demo_data or settings.smtp_url or settings.host not in _LOOPBACK:
        return
    directory = mail_directory(settings)

    @public
    async def answer(request: Request) -> Response:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname
        if host not in _LOOPBACK or "x-forwarded-for" in request.headers:
            return plain_error(404, "route_not_found", "not found")
        page = await asyncio.to_thread(_page, directory)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    app.add_route(PATH, answer, methods=["GET"], include_in_schema=False)


def _page(directory: Path) -> str:
    """The newest mails, newest first."""
    paths = sorted(directory.glob("*.eml"), reverse=True)[:MAILS_MAX]
    mails = "".join(_shown(_read(path)) for path in paths) or "<p>No mails yet.</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mails</title></head>'
        f"<body><main><h1>Mails</h1>{mails}</main></body></html>"
    )


def _read(path: Path) -> EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=default)


def _shown(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    text = "" if body is None else str(body.get_content())
    heading = f"{escape(str(mail['Subject']))} (to {escape(str(mail['To']))}, {mail['Date']})"
    return f"<article><h2>{heading}</h2><pre>{escape(text)}</pre></article>"
