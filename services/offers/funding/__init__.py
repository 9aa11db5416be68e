"""Funding (Förderung): what a board pays towards a booking, and the budgets it is paid from."""
