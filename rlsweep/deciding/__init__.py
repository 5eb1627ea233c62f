"""Races: what to train next, when to stop, what to take and with which risk. Pure functions over records."""
