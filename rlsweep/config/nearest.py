"""The known name that a misspelled one most likely meant."""

import difflib
from collections.abc import Iterable


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that reads most like `word`, case and '-' against '_' set aside; None if none does."""
    by_plain = {_plain(choice): choice for choice in choices}
    found = difflib.get_close_matches(_plain(word), by_plain, n=1, cutoff=0.6)
    return by_plain[found[0]] if found else None


def suggestion(word: str, choices: Iterable[str]) -> str:
    """Return `; did you mean X?`, or nothing where no choice is near."""
    match = nearest(word, choices)
    return f"; did you mean {match}?" if match else ""


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
