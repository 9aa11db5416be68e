"""Channels: a story made ready for where people are, and the way from there into the shop."""
