"""Bulk import of offers: what `libs.imports` needs to know of them."""
