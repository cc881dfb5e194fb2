"""The simulator: a server of its own that speaks the providers' protocols, with its own books."""

from monigo.providers.simulator.server import (
    RunningSimulator,
    base_urls,
    create_app,
    create_simulator,
    running_simulator,
)

__all__ = ["RunningSimulator", "base_urls", "create_app", "create_simulator", "running_simulator"]
