"""What all services must know alike of a town: its days off, how its opening hours are read, and what it says of places."""
