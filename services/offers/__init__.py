"""The offers service: exchanges (Börsen), the organisations behind them, and what they offer."""
