"""What every HTTP edge needs and no business word: app factory, problems, tokens, transactions, pages; over servicekit."""
