"""Suggestions for misspelt names."""

import difflib
from collections.abc import Iterable


def known_names(name: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt name: the most similar name, or all names.

    Args:
        name: the misspelt name.
        known: the names that exist.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"there are: {', '.join(names) or 'none'}"
