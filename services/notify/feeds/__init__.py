"""Feeds: what happens in the town, for feed readers, calendars and programs that keep a connection open, without an account."""
