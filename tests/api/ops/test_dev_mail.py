"""/dev/mail shows a demo's mails to this machine, and to nobody else."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from msgspec.structs import replace

from monigo.api import create_app
from monigo.infra.mail import FileTransport, Mail, mail_directory
from monigo.infra.settings import Settings

PATH = "/dev/mail"
LOCAL = "http://localhost:8000"


@pytest.fixture
def ask(backend, tmp_path):
    """Ask an application with these settings, under a host's name."""

    def ask_with(url=LOCAL, headers=None, **changed):
        settings = Settings(**{"data_dir": tmp_path, "demo_data": True, **changed})
        app = create_app(replace(backend.services, settings=settings))

        async def get():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=url) as client:
                return await client.get(PATH, headers=headers)

        return asyncio.run(get())

    return ask_with


@pytest.fixture
def mailed(backend, tmp_path):
    transport = FileTransport(mail_directory(Settings(data_dir=tmp_path)), "a@example.com")
    mail = Mail("ada@example.com", "123456 is <your> code", "Enter <b>123456</b>.\n", "")
    backend.run(transport.send(uuid4(), mail, backend.clock.now()))


@pytest.mark.usefixtures("mailed")
def test_the_demo_shows_its_mails_as_text(ask):
    answer = ask()

    assert answer.status_code == 200
    assert "123456 is &lt;your&gt; code (to ada@example.com" in answer.text
    assert "Enter &lt;b&gt;123456&lt;/b&gt;." in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_before_the_first_mail_there_is_none(ask):
    assert "No mails yet." in ask().text


@pytest.mark.usefixtures("mailed")
@pytest.mark.parametrize(
    "asked",
    [
        {"url": "http://rebound.example:8000"},
        {"headers": {"X-Forwarded-For": "192.0.2.1"}},
        {"demo_data": False},
        {"host": "0.0.0.0"},
        {"smtp_url": "smtp://localhost"},
    ],
)
def test_nobody_else_is_shown_anything(ask, asked):
    answer = ask(**asked)

    assert answer.status_code == 404
    assert "123456" not in answer.text
