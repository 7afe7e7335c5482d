"""The hash of a personal address, by which the contact history knows it: nobody can visit the page from there."""

from dmail_runner.project.warehouse import literal

# The token of an address: hexadecimal digits at its end, whatever a click tracker has added.
TOKEN = "(?:^|[/=])([0-9A-Fa-f]{16,32})/?(?:[?#&].*)?$"


def purl_hash(address: str) -> str:
    """SQL for the hash of the token in an address; null if it has none. The macro `purl_hash()` computes the same."""
    return f"sha256(nullif(upper(regexp_extract({address}, {literal(TOKEN)}, 1)), ''))"
