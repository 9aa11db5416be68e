"""Things: what the town's services last said of everything that carries a card, kept so that messages can name it."""
