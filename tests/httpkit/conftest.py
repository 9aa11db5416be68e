"""The probe service of the service kit's tests, spoken to over HTTP."""

from tests.servicekit.conftest import client, home, sqlite, start

__all__ = ["client", "home", "sqlite", "start"]
