"""Bulk import: whole files of offers, by a mapping per source, with a report per row."""
