"""Texts as they may be shown: without the secrets that this process has read, and without control characters."""

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

# What moves a terminal's cursor, ends a line of a log, or turns the direction of writing; but for the line end and the tab.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
LONGEST = 300  # characters of a text from elsewhere that a message quotes


def remember(secret: str) -> None:
    """Let no text show it from now on."""
    if len(secret) >= SHORTEST:
        KNOWN.add(secret)


def printable(text: str) -> str:
    """The text with an escape sequence in place of each control character."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def one_line(text: str) -> str:
    """A text that a server or a file gave, for a message: one line, and not too long."""
    return printable(" ".join(text.split()))[:LONGEST]


def redact(text: str) -> str:
    """A text without control characters, what is remembered, and what looks like a secret."""
    text = printable(text)
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
