"""The cost of encryption at rest: CPU seconds of DuckDB with and without a key. `python -m bench.encryption [ROWS] [TURNS]`."""

import base64
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from dmail_runner.core.duck import connect
from dmail_runner.core.extensions import link_extensions
from dmail_runner.core.parquet import parquet_format, read_parquet, use_key

PEOPLE = """
    select
        'p' || range as profile_id, 'First Last ' || hash(range) as full_name, (hash(range) % 9999) || ' Main Street' as street,
        'City ' || (hash(range * 3) % 20000) as city, lpad((hash(range * 7) % 99999)::varchar, 5, '0') as postal_code,
        md5(range::varchar) as row_hash
    from range({rows})
"""
KEY = SecretStr(base64.b64encode(os.urandom(32)).decode())


def cpu(work: Callable[[], object]) -> float:
    """The CPU seconds of all threads, which other programs on the machine change little."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(folder: Path, rows: int, *, keyed: bool) -> dict[str, float]:
    """The seconds of each step, and the sizes in MB."""
    use_key(KEY if keyed else None, folder / "extensions")
    database, history = folder / "warehouse.duckdb", folder / "contacts.parquet"
    extensions, spill = str(folder / "extensions"), str(folder / "spill")
    with connect(
        memory_limit="2GB", threads="2", temp_directory=spill, extension_directory=extensions, temp_file_encryption=keyed
    ) as connection:
        connection.execute("load httpfs")
        key = f", encryption_key '{KEY.get_secret_value()}'" if keyed else ""
        connection.execute(f"attach '{database}' as w (storage_version 'latest'{key})")
        made = f"create table w.main.people as {PEOPLE.format(rows=rows)}"
        found = {"warehouse: write": cpu(lambda: connection.execute(f"{made}; checkpoint w; detach w"))}
        connection.execute(f"attach '{database}' as w (read_only{key})")
        extract = "copy (from w.main.people order by postal_code, profile_id) to '/dev/null' (format csv)"
        found["warehouse: sorted extract"] = cpu(lambda: connection.execute(extract))
        contacts = "select profile_id, row_hash, timestamp '2027-03-01' as slot from w.main.people order by profile_id"
        copy = f"copy ({contacts}) to '{history}' ({parquet_format()})"
        found["history: write"] = cpu(lambda: connection.execute(copy))
        cap = f"select count(*) from w.main.people semi join {read_parquet([history])} using (profile_id)"
        found["history: frequency cap"] = cpu(lambda: connection.execute(cap).fetchall())
    found |= {"warehouse: MB": database.stat().st_size / 1e6, "history: MB": history.stat().st_size / 1e6}
    return found


def main(rows: int, turns: int) -> None:
    results: dict[str, dict[bool, list[float]]] = defaultdict(lambda: {False: [], True: []})
    for _ in range(turns):
        for keyed in (False, True):
            with tempfile.TemporaryDirectory() as name:
                link_extensions(["httpfs"], Path(name, "extensions"))
                for what, value in measure(Path(name), rows, keyed=keyed).items():
                    results[what][keyed].append(value)
    print(f"{rows:,} rows, median of {turns}")
    for what, found in results.items():
        print(f"{what:<28}{statistics.median(found[False]):8.2f} plain {statistics.median(found[True]):8.2f} encrypted")


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*(given + [5_000_000, 3][len(given) :]))
