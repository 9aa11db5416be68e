"""Subscriptions: who follows what, matched against each fact as it arrives, and told once at the pace that was chosen."""
