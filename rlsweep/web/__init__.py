"""Training History: a JSON API over the record, and the pages that show it."""
