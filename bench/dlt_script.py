"""The contender dlt: the same query in DuckDB, and a filesystem destination by SFTP, without encryption."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dlt
import duckdb
import paramiko
from dlt.destinations import filesystem

from bench.floor import LABELS, ORDER
from bench.letters import by_hand

BATCH = 200_000  # rows of an Arrow batch


def letters(folder: str, work: Path) -> Iterator[Any]:
    """The letters in their order, as Arrow."""
    limits: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "3GB", "threads": "2", "temp_directory": str(work)}
    with duckdb.connect(str(work / "dlt.duckdb"), config=limits) as connection:
        connection.execute(by_hand(Path(folder)))
        yield from connection.execute(f"select {', '.join(LABELS)} from letters order by {ORDER}").to_arrow_reader(BATCH)


class Client(paramiko.SSHClient):
    """A client that ignores dlt's options for earlier versions of paramiko."""

    def connect(self, *arguments: Any, **options: Any) -> None:
        super().connect(*arguments, **{name: value for name, value in options.items() if not name.startswith("gss_")})


def main(arguments: list[str]) -> None:
    """Extract, normalise and load."""
    folder, work, directory, port, user, key = arguments
    credentials = {"sftp_port": int(port), "sftp_username": user, "sftp_key_filename": key, "sftp_look_for_keys": False}
    destination = filesystem(bucket_url=f"sftp://127.0.0.1{directory}", credentials=credentials)
    dlt.config["normalize.data_writer.disable_compression"] = True
    pipeline = dlt.pipeline("letters", destination=destination, dataset_name="out", pipelines_dir=work)
    data = dlt.resource(letters(folder, Path(work)), name="spring_catalog", write_disposition="replace")
    with patch.object(paramiko, "SSHClient", Client):
        pipeline.run(data, loader_file_format="csv")


if __name__ == "__main__":
    main(sys.argv[1:])
