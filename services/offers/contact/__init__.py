"""Contact: people write to an organisation and are answered, and neither side sees the other's address."""
