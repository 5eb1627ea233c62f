"""Tournaments of trained policies: who plays, and their games as Ray tasks."""
