"""What every service needs and no business word: settings, database, outbox, inbox, bus, HTTP app, telemetry, auth."""
