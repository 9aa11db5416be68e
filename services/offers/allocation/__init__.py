"""Allocation (Platzvergabe): wish lists for a period's activities, and who gets which place, by rule and lot."""
