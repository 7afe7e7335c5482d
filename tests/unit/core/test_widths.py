"""The widths of texts in bytes, compared with what Python writes."""

import duckdb
import pytest

from dmail_runner.core.widths import DOUBLE_BYTES, in_bytes


@pytest.mark.parametrize("encoding", ["utf-8", "iso8859-15", "koi8-r", "cp1258", *DOUBLE_BYTES])
def test_every_character_has_as_many_bytes_as_are_written(encoding: str) -> None:
    written = {}
    for code in range(1, 0x10000):
        try:
            written[chr(code)] = len(chr(code).encode(encoding))
        except UnicodeError:
            continue
    with duckdb.connect() as connection:
        connection.execute("create table t as select unnest(?) as sign", [list(written)])
        assert dict(connection.execute(f"select sign, {in_bytes('sign', encoding)} from t").fetchall()) == written


@pytest.mark.parametrize("encoding", ["utf-7", "utf-16", "hz", "iso2022_jp", "iso2022_kr", "euc_jp", "euc_kr", "gb18030"])
def test_encodings_whose_bytes_cannot_be_counted_are_refused(encoding: str) -> None:
    assert in_bytes("sign", encoding) is None
