"""The database of the service kit's tests."""

from tests.servicekit.conftest import sqlite

__all__ = ["sqlite"]
