"""One attempt of one run: execute, record in the database, resume. Nothing here needs Ray."""
