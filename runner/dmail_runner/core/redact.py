"""Secrets that this process has read, and texts without them."""

import re

# Shorter ones would blot out half of every text; who uses such a password has other worries.
SHORTEST = 4
KNOWN: set[str] = set()
PATTERNS = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----.*?(-----END [A-Z ]*PRIVATE KEY( BLOCK)?-----|\Z)", re.DOTALL),
        "(secret)",
    ),
    (
        re.compile(
            r"(?i)\b((?:password|passphrase|secret|token|accountkey|sharedaccesssignature|sig|signature)\s*[=:]\s*)[^\s;&,'\"]+"
        ),
        r"\1(secret)",
    ),
    (re.compile(r"(\w+://[^/\s:@]+:)[^/\s@]+@"), r"\1(secret)@"),
)


def remember(secret: str) -> None:
    """Let no text show it from now on."""
    if len(secret) >= SHORTEST:
        KNOWN.add(secret)


def redact(text: str) -> str:
    """A text without what is remembered, and without what looks like a secret."""
    for secret in sorted(KNOWN, key=len, reverse=True):
        text = text.replace(secret, "(secret)")
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return text


# Whatever follows the key's name is taken for a key, to the line's end: keys may hold blanks and signs.
NAMED = re.compile(r"(?:,? such as(?: that)?(?: of)?| of)? ?\bprofile_id\b(?!,).*?(?=\n  |\Z)", re.DOTALL)
# An address in a person's own words, and no URL's user.
EMAIL = re.compile(r"(?<![\w/:.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def discreet(text: str | None) -> str:
    """The text without a profile's key and without e-mail addresses."""
    return EMAIL.sub("…", NAMED.sub("", text or ""))
