"""Texts as they may be shown: without the secrets that this process has read, and without control characters."""

import re
from collections.abc import Callable

# Shorter secrets are not replaced: they occur by chance in most texts.
SHORTEST = 4
SECRETS: set[str] = set()


def is_key_of_a_file(found: re.Match[str]) -> bool:
    """Whether a name is a key in a message about a file, such as `routes.yml: acme.password: is required`."""
    before = found.string[: found.start()].rsplit(None, 1)
    return bool(before) and "." in before[-1] and "://" not in before[-1] and found["name"].endswith(": ")


# Names whose value is a secret: `password=...`, `"access_token": "..."`, `ACME_PASSWORD: ...`.
WORDS = (
    "passwo?r?d|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|secret[_-]?(?:access[_-]?)?key|"
    "private[_-]?key|encryption[_-]?key|client[_-]?secret|account[_-]?key|shared[_-]?access[_-]?signature|sas|sig|signature|authorization|credentials?"
)
PATTERNS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]{8,}"), r"\1 (secret)"),
    (re.compile(r"\b([Bb]asic)\s+(?=\S*[A-Z0-9])[A-Za-z0-9+/]{8,}={0,2}"), r"\1 (secret)"),
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----.*?(-----END [A-Z ]*PRIVATE KEY( BLOCK)?-----|\Z)", re.DOTALL),
        "(secret)",
    ),
    (
        re.compile(rf"""(?i)(?P<name>(?:\b|_)(?:{WORDS})["']?\s*[=:]\s*)(?:"[^"\n]*"|'[^'\n]*'|[^\s;&,'"}}\]]+)"""),
        lambda found: found[0] if is_key_of_a_file(found) else f"{found['name']}(secret)",
    ),
    (re.compile(r"(?i)(\bencryption_key\s+)'(?:[^']|'')*'"), r"\1'(secret)'"),
    (re.compile(r"(\w+://[^/\s:@]*:)[^/\s]*@"), r"\1(secret)@"),
    # The path of a webhook's address is a secret.
    (
        re.compile(r"(?i)(https?://(?:hooks?\.|[\w.-]*webhook|[^/\s]+/(?:[\w.-]+/)*(?:web)?hooks?/)[^/\s]*)/[^\s'\"]+"),
        r"\1/(secret)",
    ),
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
    return redact_patterns(text)


def redact_patterns(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


# Keys may contain blanks and punctuation, so everything after `profile_id` counts as a key, up to the end of the line.
PROFILE_KEY = re.compile(r"(?:,? such as(?: that)?(?: of)?| of)? ?\bprofile_id\b(?!,).*?(?=\n  |\Z)", re.DOTALL)
# An e-mail address, but not the user of a URL.
EMAIL = re.compile(r"(?<![\w/:.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def without_keys(text: str) -> str:
    """The text without the keys of profiles, for records that cannot be changed later."""
    return PROFILE_KEY.sub("", text)


def redact_people(text: str | None) -> str:
    """The text without the keys of profiles and without e-mail addresses."""
    return EMAIL.sub("…", without_keys(text or ""))
