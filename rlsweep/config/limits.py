"""Limits of a user's input: far above any real config, and small enough to be read in well under a second.

A message about a limit contains its number.
"""

MAX_BYTES = 2**20
"""Size of a file. The shipped ones have a few hundred bytes."""

MAX_TEXT = 2**20
"""Characters of all texts of a file with expanded aliases: an alias can repeat a long text many times."""

MAX_VALUES = 10_000
"""Values of a file with expanded aliases."""

MAX_DEPTH = 50
"""Levels of nesting; Python's recursion limit allows a few hundred."""

MAX_KEY = 100
"""Characters of a key, or of a dotted key on the command line; messages repeat it for every value below it."""

MAX_INTEGER_DIGITS = 100
"""Digits of an integer. Shorter ones beyond 64 bits get a better message; Python refuses to convert very long ones."""

MAX_PATTERN = 4096
"""Characters of a pattern: Linux's limit for a path."""

MAX_NEIGHBOURS = 1000
"""Files compared with a misspelled name; comparing is slow."""

MAX_TOLD = 20
"""Problems reported per file; a file with more is most likely not a config."""
