"""Curves, statistics and verdicts: plain functions over arrays, no database and no files."""
