"""What every service needs below HTTP, and no business word: settings, database, outbox, inbox, bus, telemetry."""
