"""Outcomes: what became of one fact, by every way on which it could reach somebody."""
