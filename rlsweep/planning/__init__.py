"""What a sweep would run and take: its trials, advice, estimates, and the measurements behind them."""
