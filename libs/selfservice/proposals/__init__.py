"""Proposals: what an organisation wants to change in public, until an editor releases or refuses it."""
