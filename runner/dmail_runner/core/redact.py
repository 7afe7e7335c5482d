"""Secrets that this process has read, and texts without them."""

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


def register_secret(secret: str) -> None:
    """Make `redact` replace a secret in every text from now on."""
    if len(secret) >= SHORTEST:
        SECRETS.add(secret)


def redact(text: str) -> str:
    """A text without what is remembered, and without what looks like a secret."""
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
