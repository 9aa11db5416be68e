"""Webhooks: partners' servers are told public facts, signed, in order per thing, and for days if they are away."""
