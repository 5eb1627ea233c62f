"""How large what a user gives may be: far above any real config, and little enough to be read in well under a second.

Whatever is refused by one of these is refused with the number in the message.
"""

MAX_BYTES = 2**20
"""Of one file. The shipped ones hold some hundred."""

MAX_TEXT = 2**20
"""Characters that all texts of a file come to, aliases followed: a long text is written once and meant often."""

MAX_VALUES = 10_000
"""Values that a file stands for, aliases followed."""

MAX_DEPTH = 50
"""Levels of nesting; Python's own recursion ends at some hundred."""

MAX_KEY = 100
"""Characters of a key, and of a dotted one on the command line; messages repeat it for every value below it."""

MAX_INTEGER_DIGITS = 100
"""Far beyond 64 bits, for which there is a better message; Python itself refuses to convert very long ones."""

MAX_PATTERN = 4096
"""Characters of a pattern, as Linux allows them in a path."""

MAX_NEIGHBOURS = 1000
"""Files among which one is looked for that a misspelled name may mean; comparing is slow."""

MAX_TOLD = 20
"""Problems of one file that are told; a file that has more was not meant to be a config."""
