"""Questions to cards: what may be asked, how it is written in a query string, and whether a card answers it."""
