"""Proposals of offers and of providers' details, on top of what every service's self-service does."""
