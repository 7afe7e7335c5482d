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
    return similar_name(name, names) or f"there are: {', '.join(names) or 'none'}"


def similar_name(name: str, known: Iterable[str]) -> str | None:
    """A suggestion for a misspelt name: the most similar name; None if no name is similar."""
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean {close[0]}?" if close else None
