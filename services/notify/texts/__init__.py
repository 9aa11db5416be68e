"""Texts: the town's own words for every message, in its languages, from `city/messages/`."""
