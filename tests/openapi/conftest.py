"""The probe service, whose document is read."""

from tests.servicekit.conftest import client, home, start

__all__ = ["client", "home", "start"]
