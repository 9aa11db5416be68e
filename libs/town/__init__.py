"""What all services must know alike of a town: its days off, and how its opening hours are read."""
