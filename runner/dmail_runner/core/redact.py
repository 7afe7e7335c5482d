"""Texts as they may be shown: without the secrets that this process has read, and without control characters."""

import re

# Shorter secrets are not replaced: they occur by chance in most texts.
SHORTEST = 4
SECRETS: set[str] = set()
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

# Characters that move a terminal's cursor, end a line of a log, or change the direction of writing, except line end and tab.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
LONGEST = 300  # the largest number of characters that a message quotes from a server or a file


def register_secret(secret: str) -> None:
    """Make `redact` replace a secret in every text from now on."""
    if len(secret) >= SHORTEST:
        SECRETS.add(secret)


def printable(text: str) -> str:
    """The text with an escape sequence in place of each control character."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def one_line(text: str) -> str:
    """A text from a server or a file, for a message: one line of at most LONGEST characters."""
    return printable(" ".join(text.split()))[:LONGEST]


def redact(text: str) -> str:
    """The text without control characters, registered secrets, and what looks like a secret."""
    text = printable(text)
    for secret in sorted(SECRETS, key=len, reverse=True):
        text = text.replace(secret, "(secret)")
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


# Keys may contain blanks and punctuation, so everything after `profile_id` counts as a key, up to the end of the line.
PROFILE_KEY = re.compile(r"(?:,? such as(?: that)?(?: of)?| of)? ?\bprofile_id\b(?!,).*?(?=\n  |\Z)", re.DOTALL)
# An e-mail address, but not the user of a URL.
EMAIL = re.compile(r"(?<![\w/:.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def redact_people(text: str | None) -> str:
    """The text without the keys of profiles and without e-mail addresses."""
    return EMAIL.sub("…", PROFILE_KEY.sub("", text or ""))
