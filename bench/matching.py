"""How long it takes to credit orders to mailings: the model `int_responses` beside one hand-written query over the same files.

Both run in a process of their own, with the same limit of memory. Contacts are a history of weekly runs. One order in five names
a key code, and nine in ten belong to a person who was mailed.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from bench.measure import Cost, measure

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
RUNS, CODES = 20, 4
CONTACTS = """
copy (
    select
        lpad(cast(range % {people} as varchar), 10, '0') as profile_id, 'h' || range % {people} // 2 as household_key,
        'spring_catalog' as campaign, timestamp '{slot}' as slot, '{run}' as run_id,
        if(hash(range % {people}) % 10 = 0, 'holdout', 'mailed') as cell, 'marketing' as purpose, null::varchar as offers,
        upper(substr(md5(range || '{run}'), 1, 12)) as piece_id, 'K{number}-' || range % {codes} as key_code,
        null::varchar as person_key, null::varchar as address_key, null::varchar as treatment, null::varchar as voucher
    from range({first}, {last})
) to '{target}' (format parquet, compression zstd)
"""
ORDERS = """
copy (
    select
        'o' || range as response_id, lpad(cast(hash(range) % ({people} * 10 // 9) as varchar), 10, '0') as profile_id,
        null::varchar as piece_id,
        if(range % 5 = 0, 'K' || hash(range + 1) % {runs} || '-' || hash(range + 2) % {codes}, null) as key_code,
        cast(hash(range + 3) % 10000 as decimal(18, 4)) / 100 as amount, 'USD' as currency,
        timestamp '2026-01-05 06:00:00' + to_seconds(cast(hash(range + 4) % (86400 * 200) as bigint)) as happened_at
    from range({orders})
) to '{target}' (format parquet, compression zstd)
"""
# What somebody would write who needs it once: the piece's code, or else the last letter to the person within 90 days.
BY_HAND = """
create table matched as
with
    contacts as (select * from read_parquet('{contacts}')),
    orders as (select * from read_parquet('{orders}')),
    codes as (
        select key_code, run_id, min(slot) as slot from contacts where cell = 'mailed' and key_code is not null group by all
    ),
    named as (
        select response_id, arg_max(run_id, slot) as run_id
        from orders join codes using (key_code) where slot <= happened_at group by all
    ),
    last as (
        select response_id, arg_max(run_id, slot) as run_id, arg_max(cell, slot) as cell
        from orders join contacts using (profile_id)
        where slot <= happened_at and happened_at < slot + interval 90 day group by all
    )
select orders.*, coalesce(named.run_id, case when cell = 'mailed' then last.run_id end) as attributed_run_id
from orders left join named using (response_id) left join last using (response_id)
"""
MODEL = "create table matched as select * from warehouse.main.int_responses"
RUN = """
import sys, duckdb
file, memory, *queries = sys.argv[1:]
connection = duckdb.connect(file, config={"memory_limit": memory, "temp_directory": file + ".tmp"})
for query in queries:
    connection.execute(query)
"""
SHARE = "select count(*), count(attributed_run_id), bit_xor(hash(response_id, attributed_run_id)) from matched"


def write(folder: Path, orders: int, contacts: int) -> None:
    """Write the contact history and the orders."""
    people, each = contacts // RUNS * 5, contacts // RUNS
    with duckdb.connect(config={"memory_limit": "4GB"}) as connection:
        for number in range(RUNS):
            (slot,) = connection.execute(f"select timestamp '2026-01-05 06:00:00' + interval {number * 7} day").fetchone() or (
                "",
            )
            run = f"spring_catalog-{slot:%Y%m%dT%H%M%SZ}"
            (target := folder / ".dmail/contact_history" / run).mkdir(parents=True)
            values = {"people": people, "slot": slot, "run": run, "number": number, "codes": CODES}
            span = {"first": number * each, "last": (number + 1) * each, "target": target / "contacts.parquet"}
            connection.execute(CONTACTS.format(**values, **span))
        values = {"people": people, "runs": RUNS, "codes": CODES, "orders": orders}
        connection.execute(ORDERS.format(**values, target=folder / "orders.parquet"))


def prepare(folder: Path) -> None:
    """Make the views of a project that reads the orders."""
    for part in ("dbt_project.yml", "models", "macros", "seeds", "profiles", "tests/dbt"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    (folder / "models/bench_orders.sql").write_text(f"select * from read_parquet('{folder}/orders.parquet')")
    environment = {"DBT_PROFILES_DIR": "profiles", "DMAIL_PROFILES": str(folder / "orders.parquet")}
    dbt = [sys.executable, "-P", "-c", "from dbt.cli.main import cli; cli()", "--quiet", "run", "--select", "+int_responses"]
    measure([*dbt, "--vars", json.dumps({"dmail_responses": "bench_orders", "dmail_households": None})], environment, folder)


def run(folder: Path, name: str, memory: str, *queries: str) -> tuple[Cost, tuple[int, ...]]:
    """The cost of a query in a process of its own, and the counts of its result."""
    file = folder / f"{name}.duckdb"
    cost = measure([sys.executable, "-P", "-c", RUN, str(file), memory, *queries], folder=folder)
    with duckdb.connect(str(file)) as connection:
        found = connection.execute(SHARE).fetchone() or ()
    return cost, tuple(map(int, found))


def main(
    orders: Annotated[int, typer.Option(help="The number of orders.")] = 10_000_000,
    contacts: Annotated[int, typer.Option(help="The number of contacts.")] = 20_000_000,
    memory: Annotated[str, typer.Option(help="DuckDB's limit of memory.")] = "6GB",
) -> None:
    """Print the costs of both, and write them to bench/results/."""
    with tempfile.TemporaryDirectory(prefix="dmail-matching-") as name:
        folder = Path(name)
        write(folder, orders, contacts)
        prepare(folder)
        attach = f"attach '{folder}/.dmail/warehouse.duckdb' as warehouse (read_only)"
        model, counted = run(folder, "model", memory, attach, "use warehouse", "use model", MODEL)
        history = f"{folder}/.dmail/contact_history/*/contacts.parquet"
        by_hand, also = run(folder, "by_hand", memory, BY_HAND.format(contacts=history, orders=folder / "orders.parquet"))
    if counted != also:
        raise SystemExit(f"the results differ: {counted} and {also}")
    lines = [f"{orders:,} orders, {contacts:,} contacts, {counted[1]:,} orders credited; {memory} of memory.", ""]
    lines += ["| by | seconds | CPU seconds | MiB at the peak |", "| --- | ---: | ---: | ---: |"]
    for title, cost in (("`int_responses`", model), ("one query by hand", by_hand)):
        lines.append(f"| {title} | {cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak / 2**20:,.0f} |")
    lines += ["", f"The model takes {model.wall / by_hand.wall:.2f} times as long."]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "matching.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
