"""The command line: serve, api, worker, migrate, and the making of organisations, keys, people."""

from monigo.cli.commands import app


def main() -> None:
    """Run the command line."""
    app()
