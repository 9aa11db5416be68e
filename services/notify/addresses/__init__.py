"""Addresses: the rows that know how a person is reached, and which addresses nothing may be sent to."""
