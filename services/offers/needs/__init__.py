"""Unmet needs: what many looked for and did not get, told to those who could offer it."""
