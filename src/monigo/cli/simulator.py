"""Runs the simulated payment providers by themselves."""

import asyncio
import signal
import sys
from pathlib import Path

from monigo.providers.simulator import running_simulator


async def run_simulator(host: str, port: int, file: Path | None) -> None:
    """Simulate payment providers until SIGINT or SIGTERM.

    Raises:
        OSError: the port is taken, or the file can't be written.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running_simulator(host=host, port=port, path=file) as running:
        lines = [f"  {name:<12} {url}" for name, url in sorted(running.base_urls.items())]
        shown = "\n".join(lines)
        sys.stdout.write(f"Payment providers, simulated, at {running.url}\n{shown}\n")
        sys.stdout.flush()
        await stop.wait()
