"""The broker and database of the service kit's tests."""

from tests.servicekit.conftest import anyio_backend, js, sqlite, streams

__all__ = ["anyio_backend", "js", "sqlite", "streams"]
