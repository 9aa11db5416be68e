"""The caretaker's desk (Kümmererplatz): what to do for which shop, and when; how far each has come."""
