"""A bus of the probe service's, on a clean broker."""

from tests.servicekit.conftest import bus, sqlite

__all__ = ["bus", "sqlite"]
