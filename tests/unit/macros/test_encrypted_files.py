"""An encrypted contact history, as `read_files()` reads it in dbt's session."""

import base64
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from pydantic import SecretStr

from dmail_runner.core.duck import connect
from dmail_runner.core.extensions import link_extensions
from dmail_runner.core.parquet import CRYPTO, parquet_format, use_key
from dmail_runner.project import history_key
from rendered import Package

PLUGIN = SimpleNamespace(plugins=[SimpleNamespace(module=history_key.__name__)])
COLUMNS = {"profile_id": "varchar", "voucher": "varchar"}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session with the key, and a history with a file of an earlier version, which lacks a column."""
    link_extensions([CRYPTO], tmp_path / "extensions")
    use_key(SecretStr(base64.b64encode(bytes(32)).decode()), tmp_path / "extensions")
    with connect(extension_directory=str(tmp_path / "extensions")) as connection:
        connection.execute(f"load {CRYPTO}")
        for run, rows in (("a-1", "select 'p1' as profile_id"), ("b-1", "select 'CODE' as voucher, 'p2' as profile_id")):
            (tmp_path / "history" / run).mkdir(parents=True)
            connection.execute(f"copy ({rows}) to '{tmp_path}/history/{run}/contacts.parquet' ({parquet_format()})")
        connection.execute(f"copy (select 'p3' as profile_id) to '{tmp_path}/source.parquet' (format parquet)")
        yield connection
    use_key(None, Path())


def test_the_files_of_the_history_are_read_with_its_key(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    location = f"'{tmp_path}/history/*/contacts.parquet'"
    history = {"DMAIL_HISTORY": f"{tmp_path}/history"}
    package = Package(connection, "engine", "format", environment_variables=history, target=PLUGIN)
    query = f"select profile_id, voucher from {package.read_files(location, COLUMNS)} where profile_id <> 'p0' order by 1"
    assert connection.execute(query).fetchall() == [("p1", None), ("p2", "CODE")]
    one = package.read_files(location.replace("*", "b-1"))
    assert connection.execute(f"select profile_id from {one}").fetchall() == [("p2",)]
    source = package.read_files(f"'{tmp_path}/source.parquet'")
    assert connection.execute(f"select profile_id from {source}").fetchall() == [("p3",)], "a source is not encrypted"


def test_without_the_plugin_they_are_not_read(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    package = Package(connection, "engine", environment_variables={"DMAIL_HISTORY": f"{tmp_path}/history"})
    with pytest.raises(duckdb.InvalidInputException, match="is encrypted"):
        connection.execute("from " + package.read_files(f"'{tmp_path}/history/*/contacts.parquet'", COLUMNS))
