"""Databases of the probe service, on a clean broker."""

from tests.servicekit.conftest import bus, client, db, home, sqlite, start

__all__ = ["bus", "client", "db", "home", "sqlite", "start"]
