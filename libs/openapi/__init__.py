"""API documents as readers and generators of clients need them: what FastAPI does not write by itself."""
