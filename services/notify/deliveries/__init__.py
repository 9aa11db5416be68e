"""Deliveries: every message that is to reach somebody, once, and what became of it."""
