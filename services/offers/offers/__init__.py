"""Offers (Angebote): drafted, submitted, published, changed, withdrawn, expired."""
