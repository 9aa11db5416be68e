"""Construction sites of the town: shops nearby say so as long as they last, and why."""
