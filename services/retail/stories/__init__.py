"""Stories: what shops tell, until people come in."""
