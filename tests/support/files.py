"""Writes a small table in any format."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from dmail_runner.check.as_printed import as_printed
from dmail_runner.check.figures import check
from dmail_runner.check.transliterate import transliterate
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import Campaign, Column, DirectMail
from dmail_runner.declare.provider import Provider
from dmail_runner.extract.envelope import Envelope, envelope_faults
from dmail_runner.extract.extract import extract
from dmail_runner.extract.parts import part_path

BUILD = Build(extract="extract", recipients="recipients")
SLOT = datetime(2026, 11, 2, 11, tzinfo=UTC)


Row = tuple[str, str | None, str | None]


def campaign(**file: Any) -> Campaign:
    mail = DirectMail.model_validate({"status": "active", "provider": "p", "file": {"name": "in/f.txt", **file}})
    columns = (
        Column("profile_id", "id", True, width=5, align="right", pad="0"),
        Column("name", "the name", True, width=12),
        Column("city", "city", True, width=8),
    )
    return Campaign("c", "The C", "", "", "c.yml", mail, "model.c.c__extract", "model.c.c__recipients", columns, "m.yml")


def envelope(form: dict[str, Any], *, file: dict[str, Any] | None = None, **entry: Any) -> Envelope:
    provider = Provider.model_validate({"label": "p", "route": "r", "format": form, **entry})
    return Envelope(campaign(**(file or {})), provider, SLOT, "run-1")


@cache
def warehouse() -> duckdb.DuckDBPyConnection:
    """One for all examples: to open it takes longer than most of them."""
    return duckdb.connect()


def write(rows: list[Row], folder: Path, given: Envelope) -> list[bytes]:
    """The parts' bytes."""
    assert list(envelope_faults(given.campaign, given.provider)) == []
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    connection = warehouse()
    connection.execute("create or replace table extract (profile_id varchar, name varchar, city varchar)")
    connection.executemany("insert into extract values (?, ?, ?)", rows)
    connection.execute("create or replace table recipients as select profile_id, null::varchar as exclusion_reason from extract")
    build = as_printed(connection, BUILD, given.campaign, given.provider.format)
    build, _ = transliterate(connection, build, given.campaign, given.provider.format)
    contents = extract(connection, build, check(connection, build, given.campaign), given, folder)
    written = [part_path(folder, number).read_bytes() for number in range(1, len(contents) + 1)]
    assert [content.sha256 for content in contents] == [hashlib.sha256(part).hexdigest() for part in written]
    assert [content.bytes for content in contents] == list(map(len, written))
    assert sum(content.rows for content in contents) == len(rows)
    return written
