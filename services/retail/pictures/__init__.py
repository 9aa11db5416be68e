"""Pictures: taken in, cleaned of what nobody is to know, made fit for every screen."""
