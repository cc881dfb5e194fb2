"""The one way to talk to a provider: sends what an adapter makes, and returns what came of it.

Time limits, tokens, faults of the line and what is kept of each call are decided here, the same
for all. Nothing is sent twice by itself, but for one case: a request that was turned away for its
token is sent again with a new one, under the same reference.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cachetools import LRUCache
from msgspec import Struct

from monigo.core.errors import ensure, invalid
from monigo.infra import json
from monigo.infra.http_client import WHOLE_SECONDS, HttpClient, NoAnswerError, NotSentError
from monigo.infra.logging import logger
from monigo.providers.port import (
    Adapter,
    Answer,
    Capabilities,
    Cause,
    Failed,
    FailureCode,
    Intent,
    Keys,
    Login,
    Outcome,
    Request,
    Succeeded,
    Unknown,
    Verb,
    reference_of,
)
from monigo.providers.reading import decode, refused
from monigo.providers.redaction import TEXT_LENGTH_MAX, redacted, redacted_text
from monigo.providers.registry import adapter_of

log = logger(__name__)

# A token is renewed before it ends, so that none ends on its way.
TOKEN_MARGIN_SECONDS = 60
# Of merchants whose tokens are remembered; the one that was not used for longest logs in anew.
TOKENS_MAX = 10_000
_UNAUTHORIZED = 401


class Call(Struct, frozen=True, kw_only=True):
    """What is kept of one HTTP call. Bodies are redacted; no status means that none came."""

    verb: Verb
    method: str
    path: str
    reference: str
    status: int | None
    fault: str
    milliseconds: int
    sent: str
    received: str


class Called(Struct, frozen=True):
    """What came of an intent, and the calls that it took."""

    outcome: Outcome
    calls: tuple[Call, ...]


class _Remembered:
    """A merchant's token, and the lock under which it is renewed."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.value = ""
        # By the loop's clock.
        self.ends_at: float = 0


class _Conversation:
    """One intent's calls: whom they go to, with which keys, and until when."""

    def __init__(self, adapter: Adapter, keys: Keys, base_url: str, ends_at: float) -> None:
        self.adapter = adapter
        self.keys = keys
        self.base_url = base_url
        self.ends_at = ends_at
        self.calls: list[Call] = []


class ProviderClient:
    """Asks providers. `base_urls` has an operator's own URLs, by provider and mode (is_test)."""

    def __init__(
        self, http: HttpClient, base_urls: Mapping[tuple[str, bool], str] | None = None
    ) -> None:
        self._http = http
        self._base_urls = dict(base_urls or {})
        self._tokens: LRUCache[bytes, _Remembered] = LRUCache(TOKENS_MAX)

    async def ask(self, provider: str, intent: Intent, keys: Keys, *, is_test: bool) -> Called:
        """Have a provider do what is intended, or say what became of it.

        The intent must be stored before, and no transaction be open. All calls that it takes have
        25 seconds together. Whatever happens on the way is an outcome: `Failed` as `not_sent`
        where nothing of the intent left, `Unknown` where it left and no answer is understood.

        Raises:
            DomainError: not found, for a provider that there is not; invalid, for keys of another
                mode, and for an amount or account that the provider does not take.
        """
        adapter = adapter_of(provider)
        capabilities = adapter.capabilities
        ensure(intent.verb in capabilities.verbs, "only what a provider can do is asked of it")
        base_url = self._base_url(capabilities, is_test=is_test)
        _check_mode(capabilities, keys, base_url, is_test=is_test)
        ends_at = asyncio.get_running_loop().time() + WHOLE_SECONDS
        talk = _Conversation(adapter, keys, base_url, ends_at)
        outcome = await self._prepared(talk, intent)
        log.info(
            "provider asked",
            provider=provider,
            verb=intent.verb.value,
            outcome=type(outcome).__name__.lower(),
            milliseconds=sum(call.milliseconds for call in talk.calls),
        )
        return Called(outcome, tuple(talk.calls))

    async def _prepared(self, talk: _Conversation, intent: Intent) -> Outcome:
        preparation = talk.adapter.prepare(intent)
        if preparation is None:
            return await self._exchange(talk, intent)
        found = await self._exchange(talk, preparation.first)
        if not isinstance(found, Succeeded):
            return _unprepared(intent, found)
        completed = preparation.then(found)
        if isinstance(completed, Outcome):
            return completed
        return await self._exchange(talk, completed)

    async def _exchange(self, talk: _Conversation, intent: Intent) -> Outcome:
        request = talk.adapter.request(intent, talk.keys)
        login = None if request.authorization else talk.adapter.login
        token = ""
        for is_repeat in (False, True):
            if login is not None:
                given = await self._token(talk, login, intent, instead_of=token)
                if not isinstance(given, str):
                    return given
                token = given
            answer = await self._send(talk, intent, request, token)
            if not isinstance(answer, Answer):
                return answer
            # Turned away at the door: nothing was done, and a new token opens it.
            if answer.status != _UNAUTHORIZED or login is None or is_repeat:
                return talk.adapter.outcome(intent, answer)
        raise AssertionError("a repeat always answers")

    async def _token(
        self, talk: _Conversation, login: Login, intent: Intent, *, instead_of: str
    ) -> str | Outcome:
        """A token that is not the one that was turned away; one log-in at a time for a merchant."""
        named = f"{talk.base_url}|{talk.keys.public_key}|{talk.keys.secret_key}"
        fingerprint = hashlib.sha256(named.encode()).digest()
        remembered = self._tokens.setdefault(fingerprint, _Remembered())
        now = asyncio.get_running_loop().time
        async with remembered.lock:
            is_good = remembered.value and now() < remembered.ends_at
            if is_good and remembered.value != instead_of:
                return remembered.value
            answer = await self._send(talk, intent, login.request(talk.keys), "")
            if isinstance(answer, Unknown):
                return refused(intent, FailureCode.NOT_SENT, f"log-in: {answer.cause}")
            if isinstance(answer, Failed):
                return answer
            token = login.token(answer)
            if token is None:
                is_refusal = answer.status == _UNAUTHORIZED
                code = FailureCode.UNAUTHORIZED if is_refusal else FailureCode.NOT_SENT
                return refused(intent, code, f"log-in: HTTP {answer.status}")
            remembered.value = token.value
            seconds = token.lifetime.total_seconds() - TOKEN_MARGIN_SECONDS
            remembered.ends_at = now() + seconds
            return token.value

    async def _send(
        self, talk: _Conversation, intent: Intent, request: Request, token: str
    ) -> Answer | Failed | Unknown:
        loop = asyncio.get_running_loop()
        begun_at = loop.time()
        body = None if request.body is None else json.encode(request.body).encode()
        headers = {
            "Authorization": request.authorization or f"Bearer {token}",
            "Accept": "application/json",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer, outcome, fault = None, None, ""
        try:
            got = await self._http.send(
                request.method,
                url_of(talk.base_url, request),
                headers=headers,
                content=body,
                seconds=max(talk.ends_at - begun_at, 0),
            )
            answer = Answer(got.status, got.headers, got.body)
        except NotSentError as error:
            fault = f"not sent: {error}"
            outcome = refused(intent, FailureCode.NOT_SENT, str(error))
        except NoAnswerError as error:
            fault = f"no answer: {error}"
            cause = Cause.TIMED_OUT if error.is_timeout else Cause.CONNECTION_LOST
            outcome = Unknown(cause=cause, detail=str(error))
        milliseconds = int((loop.time() - begun_at) * 1000)
        talk.calls.append(_recorded(intent, request, answer, fault, milliseconds))
        made = answer or outcome
        ensure(made is not None, "a call ends with an answer or a fault")
        return made  # pyright: ignore[reportReturnType] - as ensured

    def _base_url(self, capabilities: Capabilities, *, is_test: bool) -> str:
        usual = capabilities.test_url if is_test else capabilities.live_url
        return self._base_urls.get((capabilities.name.value, is_test), usual)


def url_of(base_url: str, request: Request) -> str:
    """Where a request goes: each part of its path is encoded as a whole."""
    path = "/".join(quote(part, safe="") for part in request.path)
    query = f"?{urlencode(request.query, quote_via=quote)}" if request.query else ""
    return f"{base_url.rstrip('/')}/{path}{query}"


def _check_mode(capabilities: Capabilities, keys: Keys, base_url: str, *, is_test: bool) -> None:
    """Keys of live money go to live hosts only, and those of tests never to one that is another."""
    given = (keys.secret_key, keys.public_key)
    is_live_key = any(key.startswith(capabilities.live_key) for key in given)
    is_test_key = any(key.startswith(capabilities.test_key) for key in given)
    if is_test and is_live_key:
        raise invalid({"test_secret_key": "is a live key"})
    if not is_test and is_test_key:
        raise invalid({"live_secret_key": "is a test key"})
    is_simulator = _is_loopback(base_url)
    ensure(not (is_live_key and is_simulator), "live keys reach no simulator")
    is_live_host = base_url == capabilities.live_url != capabilities.test_url
    ensure(not (is_test_key and is_live_host), "test keys reach no live host")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unprepared(intent: Intent, found: Outcome) -> Outcome:
    """What an intent comes to of which nothing was sent, for what it needed first was not had."""
    match found:
        case Failed():
            return refused(intent, found.code, found.reason)
        case Unknown():
            return refused(intent, FailureCode.NOT_SENT, found.detail or found.cause)
        case _:
            return refused(intent, FailureCode.NOT_SENT, "what it is about is not done yet")


def _recorded(
    intent: Intent, request: Request, answer: Answer | None, fault: str, milliseconds: int
) -> Call:
    query = {name: str(value) for name, value in redacted(dict(request.query)).items()}
    shown = Request(method=request.method, path=request.path, query=query)
    is_login = request.authorization.startswith("Basic ")
    return Call(
        verb=intent.verb,
        method=request.method,
        path=redacted_text(url_of("", shown)),
        reference=reference_of(intent),
        status=answer.status if answer else None,
        fault=fault,
        milliseconds=milliseconds,
        sent="" if is_login or request.body is None else _shown(request.body),
        received="" if is_login or answer is None else _received(answer),
    )


def _received(answer: Answer) -> str:
    value = decode(answer.body)
    if value is None:
        return redacted_text(answer.body[:TEXT_LENGTH_MAX].decode(errors="replace"))
    return _shown(value)


def _shown(value: Any) -> str:
    return json.encode(redacted(value))[:TEXT_LENGTH_MAX]
