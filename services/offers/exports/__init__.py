"""Exports: what is public, in the formats that others read, whole or as changes since."""
