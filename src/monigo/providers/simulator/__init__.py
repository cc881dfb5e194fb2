"""The simulator: a server of its own that speaks the providers' protocols, with its own books."""

from monigo.providers.simulator.server import (
    RunningSimulator,
    create_app,
    create_simulator,
    running_simulator,
)

__all__ = ["RunningSimulator", "create_app", "create_simulator", "running_simulator"]
