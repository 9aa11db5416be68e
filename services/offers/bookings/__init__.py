"""Bookings (Anfragen und Buchungen): asked for without an account, answered, changed, waited for, forgotten in time."""
