"""Bulk import: whole files as people make them become rows, and what is wrong with them is said in their words."""
