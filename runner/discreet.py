"""Texts of the ledger as pages may show them: a gate's message may name one of the people whom it speaks of."""

import re

# Whatever follows the key's name is taken for a key, to the line's end: keys may hold blanks and signs.
NAMED = re.compile(r"(?:,? such as(?: that)?(?: of)?| of)? ?\bprofile_id\b(?!,).*?(?=\n  |\Z)", re.DOTALL)
# An address in a person's own words, and no URL's user.
EMAIL = re.compile(r"(?<![\w/:.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def discreet(text: str | None) -> str:
    """The text without a profile's key and without e-mail addresses."""
    return EMAIL.sub("…", NAMED.sub("", text or ""))
