"""Members: who acts for a provider, whom it invites, and who is told of what concerns it."""
