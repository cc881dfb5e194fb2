"""HTTP to the outside: bounded in time and size, and never sent twice by itself."""

from monigo.infra.http_client.client import (
    ANSWER_BYTES_MAX,
    CONNECT_SECONDS,
    WHOLE_SECONDS,
    HttpAnswer,
    HttpClient,
    NoAnswerError,
    NotSentError,
)
from monigo.infra.http_client.outward import EVERY_NETWORK, Outward, Pinned

__all__ = [
    "ANSWER_BYTES_MAX",
    "CONNECT_SECONDS",
    "EVERY_NETWORK",
    "WHOLE_SECONDS",
    "HttpAnswer",
    "HttpClient",
    "NoAnswerError",
    "NotSentError",
    "Outward",
    "Pinned",
]
