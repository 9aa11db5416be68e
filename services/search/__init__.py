"""Search knows cards, not publishers: it indexes every card on the bus and answers citizens' questions about them."""
