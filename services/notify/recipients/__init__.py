"""Recipients: people register an address, prove that it is theirs, read what is kept, and have it erased."""
