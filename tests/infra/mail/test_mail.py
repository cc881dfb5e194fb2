"""Mails: written with what they tell of, sent afterwards to a real server, none lost."""

import email
import ssl
from datetime import timedelta
from email.policy import default
from uuid import uuid4

import pytest
from msgspec import structs

from monigo.core.errors import DomainError, invalid
from monigo.infra import agenda
from monigo.infra.crypto import Vault
from monigo.infra.mail import (
    MAIL,
    FileTransport,
    Mail,
    Mailer,
    MailRefusedError,
    SmtpTransport,
    Templates,
    transport_of,
)
from monigo.infra.mail.transports import is_unknown
from monigo.infra.settings import Settings
from support.agenda import entries
from support.mail import MailServer, html_of, text_of

SENDER = "Monigo <billing@example.com>"
HELLO = Mail("ada@example.com", "Hello", "Good day, Ada.\n", "<p>Good day, Ada.</p>")
VAULT = Vault(["a-secret-key-for-mails-of-forty-letters."])


@pytest.fixture
def server():
    with MailServer() as running:
        yield running


@pytest.fixture
def mailer(server):
    return Mailer(VAULT, SmtpTransport(server.url, SENDER))


@pytest.fixture
def write(api, backend):
    """Write mails in one transaction, which fails after them if it is told to."""

    def write_with(mailer, *mails, fails=False):
        async def in_one():
            async with backend.services.database.transaction(api.tenant) as tx:
                ids = [await mailer.write(tx, mail) for mail in mails]
                if fails:
                    raise invalid({"all": "of it"})
                return ids

        return backend.run(in_one())

    return write_with


@pytest.fixture
def send(api, backend):
    """Do the due work of mails."""

    def send_with(mailer):
        work = agenda.work_off(backend.services.database, mailer.task, api.tenant)
        backend.run(work)
        return entries(backend, api.tenant, MAIL)

    return send_with


@pytest.fixture
def rows(backend, api):
    return lambda: backend.sql("SELECT ciphertext FROM mails WHERE org_id = $1", api.org_id)


def test_a_mail_arrives_as_text_and_html_and_is_gone(mailer, server, write, send, rows):
    write(mailer, HELLO)

    left = send(mailer)

    (message,) = server.received
    assert (message["From"], message["To"], message["Subject"]) == (
        SENDER,
        HELLO.recipient,
        "Hello",
    )
    assert (text_of(message), html_of(message).strip()) == (HELLO.text, HELLO.html)
    assert (left, rows()) == ([], [])


def test_what_does_not_commit_is_not_sent(mailer, server, write, send):
    with pytest.raises(DomainError):
        write(mailer, HELLO, fails=True)

    send(mailer)

    assert server.received == []


def test_a_mail_lies_sealed_until_it_is_sent(mailer, write, rows):
    (mail_id,) = write(mailer, HELLO)

    (row,) = rows()

    assert b"Ada" not in row["ciphertext"]
    assert b"ada@" not in row["ciphertext"]
    assert b"Good day" in VAULT.decrypt("mail", row["ciphertext"], context=mail_id.bytes)


def test_a_mail_that_could_not_be_sent_is_sent_later(mailer, server, write, send, backend):
    server.refusal = "451 try again"
    write(mailer, HELLO)
    (waiting,) = send(mailer)
    server.refusal = None

    backend.clock.advance(minutes=1)
    left = send(mailer)

    assert waiting["reason"] == "the mail server did not take the mail"
    assert waiting["attempts"] == 1
    assert (len(server.received), left) == (1, [])


def test_a_server_that_is_away_is_asked_again(write, send, backend, server):
    away = Mailer(VAULT, SmtpTransport("smtp://127.0.0.1:1", SENDER))
    write(away, HELLO)
    (waiting,) = send(away)

    backend.clock.advance(minutes=1)
    send(Mailer(VAULT, SmtpTransport(server.url, SENDER)))

    assert (waiting["attempts"], len(server.received)) == (1, 1)


def test_a_mail_that_is_refused_is_not_sent_again(mailer, server, write, send):
    server.refusal = "550 no such mailbox"
    write(mailer, HELLO)

    left = send(mailer)

    assert (server.received, left) == ([], [])


def test_a_mail_of_days_ago_is_not_sent_any_more(mailer, server, write, send, backend):
    write(mailer, HELLO)
    backend.clock.advance(days=3, seconds=1)

    left = send(mailer)

    assert (server.received, left) == ([], [])


def test_one_mail_that_fails_stops_no_other(mailer, server, write, send):
    write(mailer, Mail("no address", "Hello", "a", "b"), HELLO)

    send(mailer)

    assert [message["To"] for message in server.received] == ["ada@example.com"]


def test_a_mail_sent_again_has_the_same_message_id(server, backend):
    transport, mail_id = SmtpTransport(server.url, SENDER), uuid4()
    at = backend.clock.now()

    backend.run(transport.send(mail_id, HELLO, at))
    backend.run(transport.send(mail_id, HELLO, at + timedelta(minutes=1)))

    ids = {message["Message-ID"] for message in server.received}
    assert ids == {f"<{mail_id}@example.com>"}


def test_no_log_tells_what_a_mail_holds(mailer, server, write, send, caplog):
    write(mailer, HELLO, Mail("no address", "Secret", "text", "html"))
    server.refusal = "550 ada@example.com is unknown"
    send(mailer)
    write(mailer, HELLO)
    server.refusal = "451 ada@example.com is busy"
    send(mailer)

    told = caplog.text
    assert "mail dropped" in told
    assert all(word not in told for word in ("ada@", "Ada", "no address", "Secret"))


def test_without_a_server_each_mail_is_a_file(tmp_path, backend):
    transport = transport_of(Settings(data_dir=tmp_path, mail_from=SENDER))

    backend.run(transport.send(uuid4(), HELLO, backend.clock.now()))

    (path,) = (tmp_path / "mail").iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    assert path.name.endswith("Z-ada@example.com.eml")
    assert path.stat().st_mode & 0o077 == 0
    assert (message["To"], text_of(message)) == (HELLO.recipient, HELLO.text)


@pytest.mark.parametrize("recipient", ["../../etc/passwd@example.com", "a/b~c@example.com"])
def test_a_file_stays_in_its_directory_whoever_it_is_for(tmp_path, backend, recipient):
    transport = FileTransport(tmp_path / "mail", SENDER)

    backend.run(transport.send(uuid4(), Mail(recipient, "s", "t", "h"), backend.clock.now()))

    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1


@pytest.mark.parametrize("recipient", ["ada@example.com\nBcc: eve@example.com", "a\r\n@b.c"])
def test_no_recipient_adds_a_header(tmp_path, backend, recipient):
    transport = FileTransport(tmp_path, SENDER)

    with pytest.raises(MailRefusedError):
        backend.run(transport.send(uuid4(), Mail(recipient, "s", "t", "h"), backend.clock.now()))


def test_a_list_of_addresses_is_no_recipient(server, backend):
    transport = SmtpTransport(server.url, SENDER)
    listed = Mail("ada@example.com, eve@example.com", "s", "t", "h")

    with pytest.raises(MailRefusedError):
        backend.run(transport.send(uuid4(), listed, backend.clock.now()))

    assert server.received == []


def test_a_mail_in_anothers_name_comes_from_our_own_address(server, backend):
    url = f"https://example.com/unsubscribe/{'a_b' * 60}"
    mail = structs.replace(
        HELLO, sender_name='Ade "Rides", Lagos', reply_to="ade@example.com", unsubscribe_url=url
    )

    backend.run(SmtpTransport(server.url, SENDER).send(uuid4(), mail, backend.clock.now()))

    (message,) = server.received
    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ('Ade "Rides", Lagos', "billing@example.com")
    assert message["Reply-To"] == "ade@example.com"
    # As it travels, on one line: mail programs don't decode it.
    assert f"List-Unsubscribe: <{url}>".encode() in server.raw[-1]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("code", "answer", "is_of_mailbox"),
    [
        (550, "5.1.1 no such user", True),
        (550, "no such user", True),
        (551, "not local", True),
        (553, "5.1.3 bad address", True),
        (550, "5.2.1 mailbox disabled", True),
        (550, "5.7.1 rejected by policy", False),
        (552, "5.2.2 mailbox full", False),
        (554, "rejected", False),
        (550, "5.11.1 of no class", False),
    ],
)
def test_a_mailbox_is_unknown_where_the_server_says_so(code, answer, is_of_mailbox):
    assert is_unknown(code, answer) is is_of_mailbox


def test_no_password_is_told_without_tls(server, backend):
    """To this machine itself it is; to any other only once TLS has begun."""
    far = SmtpTransport(server.url.replace("//127.0.0.1", "//ada:secret@127.1"), SENDER)

    with pytest.raises(DomainError, match="did not take"):
        backend.run(far.send(uuid4(), HELLO, backend.clock.now()))

    assert server.received == []


def test_smtps_begins_with_tls(server, backend):
    encrypted = SmtpTransport(server.url.replace("smtp:", "smtps:"), SENDER)

    with pytest.raises((DomainError, ssl.SSLError)):
        backend.run(encrypted.send(uuid4(), HELLO, backend.clock.now()))


@pytest.mark.parametrize("url", ["http://example.com", "smtp://", "example.com:25"])
def test_a_url_of_no_mail_server_is_refused_at_the_start(url):
    with pytest.raises(ValueError, match="must be smtp"):
        Settings(smtp_url=url)


def test_a_template_makes_both_bodies_and_a_subject_of_one_line(tmp_path):
    (tmp_path / "joined.txt").write_text("{{ name }} joined\n\nSay hello to {{ name }}.\n")
    (tmp_path / "joined.html").write_text("<p>{{ name }} joined</p>")

    made = Templates(tmp_path).mail("joined", "b@example.com", {"name": "<b>Ada</b>\nBcc: x"})

    assert made.subject == "<b>Ada</b>"
    assert made.html == "<p>&lt;b&gt;Ada&lt;/b&gt;\nBcc: x joined</p>"
