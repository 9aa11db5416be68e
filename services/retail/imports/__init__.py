"""Imports of shops: from OpenStreetMap, or as this service itself writes them."""
