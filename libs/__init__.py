"""Shared libraries: the event contracts and the service kit."""
