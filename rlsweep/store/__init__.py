"""PostgreSQL: the schema, the embedded server, and functions that read and write a `Database`.

`opening.open_database` opens the database; `sweeps`, `training_runs`, `recording` and `curves` use it.
"""
