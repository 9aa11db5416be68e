"""The retail service: the town's shop window, which brings people into the shops."""
