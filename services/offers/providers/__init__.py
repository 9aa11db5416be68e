"""Providers (Anbieter): the organisations behind the offers."""
