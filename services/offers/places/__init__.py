"""Places (Plätze): how many there are and how many are left, counted down by bookings or stated by the provider."""
