"""Freshness: an offer that nobody checks is marked, then hidden, and comes back with one click."""
