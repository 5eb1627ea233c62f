"""Postgres: the schema, the embedded server, and plain functions per noun over a `Database`.

`opening.open_database` gives the database; `sweeps`, `training_runs`, `recording` and `curves` work on it.
"""
