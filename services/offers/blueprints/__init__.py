"""Blueprints: boards derived from others, improvements offered along the line, and offers that follow a changed board."""
