"""Organisations: the people behind a provider, what they propose, and what is written to them."""
