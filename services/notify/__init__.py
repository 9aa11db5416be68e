"""Notify turns facts into messages for people and partners; it alone knows how to reach a person."""
