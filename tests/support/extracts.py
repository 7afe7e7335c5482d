"""A table to export."""

from datetime import UTC, datetime

import duckdb

from dmail_runner.check.figures import check
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import Campaign, Column, DirectMail
from dmail_runner.declare.file_format import CsvFormat
from dmail_runner.declare.provider import Provider
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.extract import extract
from dmail_runner.extract.format_sql import Format
from dmail_runner.project.target import Warehouse
from dmail_runner.project.warehouse import session

BUILD = Build(extract="extract", recipients="recipients")


def campaign(sort_by: tuple[str, ...] = (), hidden: tuple[str, ...] = ()) -> Campaign:
    mail = {"status": "active", "provider": "p", "file": {"name": "f.csv", "sort_by": sort_by}}
    columns = tuple(Column(name, f"the {name}", name not in hidden) for name in ("profile_id", "name", "city"))
    return Campaign(
        "c", "c", "", "", "c.yml", DirectMail.model_validate(mail), "model.c__extract", "model.c__recipients", columns, "c.yml"
    )


def envelope(form: Format, kind: dict[str, tuple[str, ...]] | None = None, **entry: object) -> Envelope:
    provider = Provider.model_validate({"label": "p", "route": "r", "format": form, **entry})
    return Envelope(campaign(**(kind or {})), provider, datetime(2026, 11, 2, 11, tzinfo=UTC), "run")


def write_table(warehouse: Warehouse, shuffle: str) -> str:
    """The SHA-256 of a file of many types, many ties and many nulls, its rows inserted in an order of their own."""
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute(
            f"""
            create table extract as
            select
                lpad(cast(i as varchar), 7, '0') as profile_id,
                timestamptz '2026-11-02 11:00:00+00' + to_minutes(i % 7777) as name,
                case when i % 3 > 0 then cast(i % 11 as decimal(9, 2)) / 3 end as city
            from range(300000) as rows(i)
            order by hash(i + {shuffle})
            """
        )
        connection.execute("create table recipients as select profile_id, null::varchar as exclusion_reason from extract")
    given = envelope(CsvFormat(), {"sort_by": ("city desc nulls first", "name")})
    with session(warehouse) as connection:
        verdicts = check(connection, BUILD, given.campaign)
        (content,) = extract(connection, BUILD, verdicts, given, warehouse.path.parent)
    return content.sha256
