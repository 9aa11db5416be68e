"""The event contracts: what services tell each other, and nothing else. Knows only pydantic."""
