"""Columns of an export that say where an offer stands; of these an import reads by which thing it is only."""

STANDING = ("id", "board", "provider_id", "version", "published_at", "changed_at", "checked_on", "free_now")
