"""The age and the size of sources, before anything is built from them."""

import gzip
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dmail_runner.check.sources import check_sources
from dmail_runner.core.errors import ConfigError, SourceError
from dmail_runner.core.values import SourceFigures
from dmail_runner.declare.source import Source, SourceMeta
from dmail_runner.project.sources import read_sources
from dmail_runner.project.target import Warehouse

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROWS = [("1", "2027-02-27T12:00:00Z"), ("2", "2027-02-28T13:00:00+02:00"), ("3", "never"), ("4", None), ("5", "9999-12-31")]


def csv(folder: Path, name: str = "people.csv", sign: str = ",") -> Path:
    file = folder / name
    lines = [sign.join(("id", "updated_at")), *(sign.join((number, at or "")) for number, at in ROWS)]
    file.write_text("\ufeff" + "\n".join(lines) + "\n")
    os.utime(file, (0, (NOW - 3 * DAY).timestamp()))
    return file


def parquet(folder: Path) -> Path:
    file = folder / "people.parquet"
    values = ", ".join(f"('{number}', {f'{at!r}' if at else 'null'})" for number, at in ROWS)
    with duckdb.connect() as connection:
        connection.execute(f"copy (from (values {values}) as t (id, updated_at)) to '{file}' (format parquet)")
    os.utime(file, (0, (NOW - 3 * DAY).timestamp()))
    return file


def checked(folder: Path, location: str | None, **declared: Any) -> SourceFigures:
    rows = SourceMeta(**{name: declared.pop(name) for name in SourceMeta.model_fields if name in declared})
    source = Source("crm.people", "crm.yml", location, '"people"', **declared, rows=rows)
    warehouse = Warehouse(folder / "warehouse.duckdb", {}, folder / "spill")
    (found,) = check_sources([source], warehouse, folder, NOW)
    return found


@pytest.mark.parametrize("make", [csv, parquet, lambda folder: csv(folder, sign=";")])
def test_the_newest_time_counts_unless_it_is_none_or_far_ahead(tmp_path: Path, make: Any) -> None:
    file = make(tmp_path)
    found = checked(tmp_path, file.name, loaded_at="updated_at", warn_after=DAY, error_after=2 * DAY)
    assert found.loaded == datetime(2027, 2, 28, 11, tzinfo=UTC)
    assert found.warning == "crm.people was loaded 25 hours ago, more than warn_after, 1 day"
    with pytest.raises(SourceError) as stopped:
        checked(tmp_path, file.name, loaded_at="updated_at", error_after=DAY)
    assert stopped.value.what == (
        "crm.people (crm.yml) was loaded 25 hours ago, on 2027-02-28 11:00 UTC, more than error_after, 1 day: nothing was built"
    )


def test_without_a_column_the_time_of_the_newest_file_counts(tmp_path: Path) -> None:
    csv(tmp_path, "people_1.csv")
    os.utime(csv(tmp_path, "people_2.csv"), (0, (NOW - DAY).timestamp()))
    assert checked(tmp_path, "people_*.csv", error_after=2 * DAY).loaded == NOW - DAY
    with pytest.raises(SourceError, match="was loaded 1 day ago"):
        checked(tmp_path, "people_*.csv", error_after=timedelta(hours=3))


def test_a_table_of_the_warehouse_is_read(tmp_path: Path) -> None:
    (tmp_path / "spill").mkdir()
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create table people as select timestamp '2027-02-28 12:00:00' as loaded, 'x' as kind")
    assert checked(tmp_path, None, loaded_at="loaded", error_after=2 * DAY, min_rows=1).rows == 1
    with pytest.raises(SourceError, match="has no row with a time in loaded"):
        checked(tmp_path, None, loaded_at="loaded", filter="kind = 'y'", error_after=2 * DAY)


@pytest.mark.parametrize(
    ("declared", "what"),
    [
        ({"min_rows": 6}, "crm.people (crm.yml) has 5 rows, fewer than min_rows, 6"),
        ({"row_count_file": "rows.txt"}, "crm.people (crm.yml) has 5 rows, and rows.txt says 6: the export is incomplete"),
        ({"row_count_file": "none.txt"}, "none.txt cannot be read: No such file or directory"),
        ({"row_count_file": "people.csv"}, "people.csv does not begin with a number of rows"),
        ({"loaded_at": "changed_at", "error_after": DAY}, "cannot be read by the runner: BinderException"),
    ],
)
def test_an_export_that_is_incomplete_stops_the_run(tmp_path: Path, declared: dict[str, Any], what: str) -> None:
    csv(tmp_path)
    (tmp_path / "rows.txt").write_text("6 people.csv\n")
    with pytest.raises(SourceError) as stopped:
        checked(tmp_path, "people.csv", **declared)
    assert what in stopped.value.what


@pytest.mark.parametrize("text", ["5", "5\n", " 5 people.csv", "rows: 5", '{"rows": 5, "at": 6}', "\ufeff5", "Row count = 5"])
def test_a_row_count_file_may_have_several_forms(tmp_path: Path, text: str) -> None:
    csv(tmp_path)
    (tmp_path / "rows.txt").write_text(text)
    assert checked(tmp_path, "people.csv", row_count_file="rows.txt").rows == 5


def test_every_fault_of_every_source_is_reported(tmp_path: Path) -> None:
    missing = Source("crm.a", "crm.yml", "no/*.csv", "", error_after=DAY)
    small = Source("crm.b", "crm.yml", csv(tmp_path).name, "", rows=SourceMeta(min_rows=9))
    with pytest.raises(SourceError) as stopped:
        check_sources([missing, small], Warehouse(tmp_path / "w", {}, tmp_path), tmp_path, NOW)
    assert stopped.value.what == (
        "crm.a (crm.yml) has no file: no/*.csv; crm.b (crm.yml) has 5 rows, fewer than min_rows, 9: nothing was built"
    )


def node(**given: Any) -> dict[str, Any]:
    """A source of the manifest."""
    limit = {"warn_after": {"count": None, "period": None}, "error_after": {"count": 2, "period": "day"}, "filter": None}
    return {
        "resource_type": "source", "source_name": "crm", "name": "people", "original_file_path": "crm.yml", "relation_name": "'it''s.csv'",
        "freshness": limit, "loaded_at_field": None, "config": {"meta": {}}, **given,
    }  # fmt: skip


def test_declarations_of_dbt_are_read() -> None:
    (source,) = read_sources([node(), node(source_name="dmail"), node(freshness=None)])
    assert (source.location, source.error_after, source.warn_after) == ("it's.csv", 2 * DAY, None)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"relation_name": '"db"."people"'}, "loaded_at_field: is required"),
        ({"relation_name": "'s3://bucket/people.parquet'"}, "loaded_at_field: is required"),
        ({"loaded_at_query": "select now()"}, "loaded_at_query: is not evaluated by the runner"),
        ({"config": {"meta": {"direct_mail": {"min_row": 1}}}}, "direct_mail.min_row: unknown key"),
    ],
)
def test_a_limit_that_cannot_be_evaluated_is_an_error(given: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        read_sources([node(**given)])
    assert what in str(wrong.value)


def test_a_source_without_a_limit_that_stops_is_only_reported(tmp_path: Path) -> None:
    assert checked(tmp_path, "none.csv", warn_after=DAY).warning == "crm.people (crm.yml) has no file: none.csv"
    assert "cannot be read by the runner" in str(checked(tmp_path, csv(tmp_path).name, loaded_at="at", warn_after=DAY).warning)
    found = checked(tmp_path, "people.csv", loaded_at="updated_at", filter="id = '3'", warn_after=DAY)
    assert found.warning == "crm.people has no row with a time in updated_at"


@pytest.mark.parametrize(
    ("name", "content", "declared"),
    [
        ("hint.csv", b"sep=;\nid;name\n1;a,b\n2;c\n", {}),
        ("wide.csv", "id;name\n1;\u00e9,b\n2;c\n".encode("utf-16"), {"encoding": "utf-16"}),
        ("packed.csv.gz", gzip.compress(b"id;name\n1;a,b\n2;c\n", mtime=0), {}),
    ],
)
def test_odd_exports_are_counted_as_the_models_read_them(
    tmp_path: Path, name: str, content: bytes, declared: dict[str, Any]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert checked(tmp_path, name, min_rows=1, **declared).rows == 2


def test_a_row_that_duckdb_cannot_read_is_named_at_once(tmp_path: Path) -> None:
    with (tmp_path / "big.csv").open("w") as file:
        file.write("id,name\n" + "1,x\n" * 700_000 + "2,")
        file.write("y" * 200_000_000 + "\n3,z\n")
    with pytest.raises(SourceError, match=r"line 700,002 of big\.csv has more than 2,000,000 bytes"):
        checked(tmp_path, "big.csv")
    (tmp_path / "fine.csv").write_text("id,name\n" + "1,x\n" * 700_000 + "2," + "y" * 1_999_000 + "\n3,z\n")
    assert checked(tmp_path, "fine.csv").warning is None
