"""Makes the broker hold what `libs/contracts/topology.py` says; run by operators and at deployment, never by a service."""
