"""Shops: who they are, what they have, when they are open."""
