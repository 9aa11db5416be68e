"""The services: each a folder of its own, none knowing another."""
