"""The HTTP API: thin routes over the domains."""

from monigo.api.app import create_app

__all__ = ["create_app"]
