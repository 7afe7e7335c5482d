"""The hash of a personal address, by which the contact history knows it: nobody can visit the page from there."""

from dmail_runner.project.warehouse import literal

# The end of an address, with its token as a group: hexadecimal digits, whatever a click tracker has added.
ENDING = "(?:^|[/=])([0-9A-Fa-f]{16,32})/?(?:[?#&].*)?$"


def purl_hash(address: str) -> str:
    """SQL for the hash of the token in an address; null if it has none. The macro `purl_hash()` computes the same."""
    return f"sha256(nullif(upper(regexp_extract({address}, {literal(ENDING)}, 1)), ''))"
