"""Logs: readable on a terminal, one JSON object a line otherwise. Never a secret."""

import logging
import sys
from typing import Any

import structlog


def configure_logging(*, log_format: str | None, level: str) -> None:
    """Send structlog's and the standard library's records to stderr in one format."""
    readable = log_format == "text" or (log_format is None and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Plain tracebacks: prettier ones show local variables, and with them secrets.
    renderer: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if readable
        else structlog.processors.JSONRenderer(sort_keys=False)
    )
    # The readable renderer formats tracebacks itself; JSON needs them as text.
    tail: list[Any] = [renderer] if readable else [structlog.processors.format_exc_info, renderer]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Uvicorn logs each request at this level; our own request log has more about each, once.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)


def logger(name: str) -> Any:
    """The logger of one module; records carry the request's context by themselves."""
    return structlog.stdlib.get_logger(name)
