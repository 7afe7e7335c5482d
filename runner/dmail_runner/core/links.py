"""The key of personal addresses (`purl()`), and the functions that DuckDB's sessions need for them.

A token is HMAC-SHA-256 (RFC 2104) of the piece. SQL computes it from two variables of the session, so that no SQL text has
the key.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dmail_runner.core.errors import UsageError
from dmail_runner.core.redact import register_secret

if TYPE_CHECKING:
    import duckdb

VARIABLE = "DMAIL_LINK_KEY"
CREATE = "32 bytes in base64, which `openssl rand -base64 32` makes"
INNER, OUTER = "dmail_link_inner", "dmail_link_outer"  # the variables of a session: the key, padded and combined with a constant
QR_FUNCTION = "dmail_qr_svg"
BLOCK = 64  # bytes of a block of SHA-256
BORDER = 4  # modules of white around a QR code, as ISO/IEC 18004 requires


@dataclass
class LinkKey:
    """The key of this process, which every session has. None if it is not set."""

    current: SecretStr | None = None


KEY = LinkKey()


def use_link_key(key: SecretStr | None) -> None:
    """Give every DuckDB session of this process the key from now on. It is redacted in all texts."""
    KEY.current = key
    if key:
        register_secret(key.get_secret_value())


def prepare_links(connection: "duckdb.DuckDBPyConnection", key: SecretStr) -> None:
    """Give a session the key of addresses, and the function that draws QR codes."""
    connection.create_function(QR_FUNCTION, qr_svg, ["VARCHAR"], "VARCHAR")
    set_key(connection, key)


def set_key(connection: "duckdb.DuckDBPyConnection", key: SecretStr) -> None:
    """Give a session the key of addresses. Cursors of a connection do not share variables."""
    block = base64.b64decode(key.get_secret_value()).ljust(BLOCK, b"\0")
    for name, pad in ((INNER, 0x36), (OUTER, 0x5C)):
        connection.execute(f"set variable {name} = unhex('{bytes(byte ^ pad for byte in block).hex()}')")


def key_mark(key: SecretStr) -> str:
    """A text by which two keys can be compared, and from which neither can be found."""
    return hmac.digest(base64.b64decode(key.get_secret_value()), b"dmail-runner: which key", hashlib.sha256).hex()[:32]


def qr_modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """The modules of a QR code with 15% error correction, without its border: rows of black (true) and white.

    Raises UsageError if the library is not installed, or the text is too long.
    """
    try:
        import segno
    except ImportError:
        raise UsageError("a QR code needs the extra `qr`", todo="pip install 'dmail-runner[qr]'") from None
    try:
        found = segno.make_qr(text, error="m", boost_error=False)
    except segno.DataOverflowError:
        raise UsageError(f"a text of {len(text):,} characters is too long for a QR code", todo="shorten the address") from None
    return tuple(tuple(bool(module) for module in row) for row in found.matrix)


def qr_svg(text: str) -> str:
    """A QR code as an SVG picture in one line: a path of black modules on white, a unit for each module."""
    rows = qr_modules(text)
    size = len(rows) + 2 * BORDER
    runs = []
    for y, row in enumerate(rows, start=BORDER):
        x = 0
        while x < len(row):
            length = 1
            while x + length < len(row) and row[x + length] == row[x]:
                length += 1
            if row[x]:
                runs.append(f"M{x + BORDER} {y}h{length}v1h-{length}z")
            x += length
    white = f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">{white}<path d="{"".join(runs)}"/></svg>'
