"""Schedulers: which run of a sweep trains next, and from what; functions over records."""
