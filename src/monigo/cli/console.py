"""How commands run: on open services, saying what they did on standard output."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, NoReturn, TypeVar

import typer
import uvloop

from monigo.bootstrap import Services
from monigo.cli.run import running_services
from monigo.core.errors import DomainError
from monigo.infra.db import EmbeddedPostgresError, MigrationError, as_unavailable
from monigo.infra.logging import configure_logging
from monigo.infra.settings import Settings

Result = TypeVar("Result")
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def with_services(action: Callable[[Services], Awaitable[Result]]) -> Result:
    """Run a command's work on open services; the schema is brought up to date first."""

    async def acting(settings: Settings) -> Result:
        async with running_services(settings) as running:
            return await action(running.services)

    return run(acting)


def run(main: Callable[[Settings], Awaitable[Result]]) -> Result:
    """Run a command's coroutine; faults of the operator are printed in one line."""
    settings = Settings()
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_awaited(main, settings))
    except DomainError as error:
        faults = "; ".join(f"{field} {fault}" for field, fault in error.fields.items())
        fail(f"{error.message}{': ' if faults else ''}{faults}")
    except (MigrationError, EmbeddedPostgresError, OSError) as error:
        fail(str(error))
    except Exception as error:
        if as_unavailable(error) is None:
            raise
        fail(f"the database is not available: {error}")


async def _awaited(main: Callable[[Settings], Awaitable[Result]], settings: Settings) -> Result:
    return await main(settings)


def say(text: str) -> None:
    """Print a line of a command's output."""
    sys.stdout.write(text + "\n")


def fail(text: str) -> NoReturn:
    """End a command that can't do what was asked, saying why."""
    sys.stderr.write(f"monigo: {text}\n")
    raise typer.Exit(1)
