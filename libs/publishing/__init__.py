"""From the outbox to the bus: the relay, what the broker refuses, and the comparison of what was told with what the bus holds."""
