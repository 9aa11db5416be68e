"""What providers do themselves: who acts for one, and what they propose; each service has tables of its own for it."""
