"""Personal addresses: the token is the one that Python computes, and a scanner reads the QR code."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterator

import duckdb
import pytest
from pydantic import SecretStr

from dmail_runner.core.errors import UsageError
from dmail_runner.core.links import key_mark, prepare_links, qr_modules, qr_svg
from dmail_runner.history.purl import purl_hash
from rendered import CompileError, Package
from scanner import black_in, scanned

SECRET = SecretStr(base64.b64encode(bytes(range(32))).decode())
PIECE = "spring|2027-03-01 06:00:00|p-1"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def test_a_token_is_an_hmac_that_needs_the_key(connection: duckdb.DuckDBPyConnection) -> None:
    macros = Package(connection, "format", "engine")
    with pytest.raises(CompileError, match="this session has no key: set DMAIL_LINK_KEY"):
        macros.keyed_digest("piece")
    prepare_links(connection, SECRET)
    query = f"select {macros.keyed_digest('piece')} from (values ('{PIECE}'), ('ä'), (null)) as t (piece)"
    texts = [value for (value,) in connection.execute(query).fetchall()]
    key = base64.b64decode(SECRET.get_secret_value())
    assert texts == [*(hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for text in (PIECE, "ä")), None]
    secrets = (SECRET.get_secret_value(), key.hex(), "00010203")
    shown = json.dumps(connection.execute(f"explain {query}").fetchall())
    assert not any(text in query + shown + key_mark(SECRET) for text in secrets)


@pytest.mark.parametrize(
    "beginning",
    [
        "http://x.example",
        "x.example/",
        "http://x.example/",
        "https://x.example/?p=1&",
        "https://x.example/'/",
        "https://ä.example/",
        None,
    ],
)
def test_an_address_ends_where_the_token_begins(connection: duckdb.DuckDBPyConnection, beginning: str) -> None:
    with pytest.raises(CompileError, match="`base` accepts an https address up to a slash or an equals sign"):
        Package(connection, "format", "engine").purl(beginning)


@pytest.mark.parametrize(
    "visited",
    [
        "0123456789ABCDEF0123",
        "https://go.example.com/0123456789abcdef0123",
        "https://go.example.com/0123456789ABCDEF0123/?utm_source=mail&utm_id=0123456789ABCDEF9999",
        "/p/0123456789ABCDEF0123#top",
        "https://go.example.com/?p=0123456789ABCDEF0123&fbclid=zz",
    ],
)
def test_a_visit_is_known_by_its_token(connection: duckdb.DuckDBPyConnection, visited: str) -> None:
    macro = Package(connection, "format", "engine").purl_hash("address")
    found = connection.execute(f"select {macro}, {purl_hash('address')} from (select ? as address)", [visited]).fetchall()
    assert found == [(hashlib.sha256(b"0123456789ABCDEF0123").hexdigest(),) * 2]


@pytest.mark.parametrize(
    "visited", [None, "", "0123", "https://x.example/index", "https://x.example/a0123456789ABCDEF0123x", "A" * 33]
)
def test_what_has_no_token_is_no_visit(connection: duckdb.DuckDBPyConnection, visited: str | None) -> None:
    macro = Package(connection, "format", "engine").purl_hash("address")
    found = connection.execute(
        f"select {macro}, {purl_hash('address')} from (select ?::varchar as address)", [visited]
    ).fetchall()
    assert found == [(None, None)]


@pytest.mark.parametrize(
    "text", ["https://go.example.com/0123456789ABCDEF0123", "HTTPS://X.EXAMPLE/A", "https://x.example/" + "z" * 300]
)
def test_a_scanner_reads_the_picture(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    prepare_links(connection, SECRET)
    macro = Package(connection, "format", "engine").qr_svg("address")
    query = f"select {macro}, dmail_qr_svg(null) from (select ? as address)"
    assert connection.cursor().execute(query, [text]).fetchall() == [(qr_svg(text), None)]
    assert scanned(black_in(qr_svg(text))) == [text]


def test_a_text_that_no_code_holds_is_an_error() -> None:
    with pytest.raises(UsageError, match="too long for a QR code"):
        qr_modules(os.urandom(3000).hex())
