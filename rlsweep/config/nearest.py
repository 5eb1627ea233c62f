"""Find the known name nearest to a misspelled one."""

import difflib
from collections.abc import Iterable


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice most similar to `word`, ignoring case and '-' versus '_'; None if none is similar."""
    by_plain = {_plain(choice): choice for choice in choices}
    found = difflib.get_close_matches(_plain(word), by_plain, n=1, cutoff=0.6)
    return by_plain[found[0]] if found else None


def suggestion(word: str, choices: Iterable[str]) -> str:
    """Return `; did you mean X?`, or an empty string if no choice is similar."""
    match = nearest(word, choices)
    return f"; did you mean {match}?" if match else ""


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
