"""Training History: a JSON API over the database, and the pages that show its data."""
