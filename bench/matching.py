"""Matching orders with the mailings that they answer, against one hand-written query: 10 million orders, 20 million contacts.

Target: the model int_responses, a view that dbt has built, within twice the query.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from bench.measure import Cost, measure, measure_query
from bench.sample_project import copy_project

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
LIMIT = "6GB"
CONTACTS = """
copy (
    select
        'p' || i // 4 as profile_id, 'v2-' || substr(md5(cast(i // 8 as varchar)), 1, 16) as household_key,
        ['spring', 'autumn'][1 + i % 2] as campaign, timestamp '2026-01-05' + to_days(cast(90 * (i % 4) as int)) as slot,
        ['spring', 'autumn'][1 + i % 2] || '-' || i % 4 as run_id,
        case when hash(i // 8) % 10 = 0 then 'holdout' else 'mailed' end as cell,
        'marketing' as purpose, null::varchar as offers, substr(md5('piece/' || i), 1, 12) as piece_id,
        case when i % 2 = 0 then 'SPRING-' || i % 4 end as key_code, null::varchar as person_key, null::varchar as address_key,
        null::varchar as treatment, null::varchar as voucher
    from range({contacts}) as numbers(i)
) to '{history}/contacts.parquet' (format parquet, compression zstd)
"""
# A third of the orders names the piece, and a tenth the code. A quarter is of a member of the household who was not mailed.
ORDERS = """
copy (
    select
        'o' || i as response_id,
        case when i % 4 = 3 then 'm' || hash(i) % {members} else 'p' || hash(i) % {people} end as profile_id,
        case when i % 3 = 0 then substr(md5('piece/' || (hash(i) % {contacts})), 1, 12) end as piece_id,
        case when i % 10 = 1 then 'SPRING-' || 2 * (i % 2) end as key_code,
        (20 + i % 200)::decimal(18, 4) as amount, 'EUR' as currency,
        timestamp '2026-01-05' + to_hours(cast(hash(i, 1) % 10000 as int)) as happened_at,
        'bench' as entry, 'orders.csv' as file, i as row_number, timestamp '2027-03-01' as received_at
    from range({orders}) as numbers(i)
) to '{inbound}/responses/orders.parquet' (format parquet, compression zstd)
"""
MEMBERS = """
copy (
    select 'p' || i as profile_id, 'v2-' || substr(md5(cast(i // 2 as varchar)), 1, 16) as household_key
    from range({people}) as numbers(i)
    union all
    select 'm' || i, 'v2-' || substr(md5(cast(i as varchar)), 1, 16) from range({members}) as numbers(i)
) to '{folder}/members.parquet' (format parquet)
"""
QUERY = """
create table matched as
with
    orders as (select * from '{inbound}/responses/orders.parquet'),
    contacts as (select * from '{history}/contacts.parquet'),
    named as (
        select response_id, contacts.run_id, 1 as preference, slot
        from orders join contacts on upper(orders.piece_id) = upper(contacts.piece_id) and cell = 'mailed'
        union all
        select response_id, codes.run_id, 2, codes.slot
        from orders
        join (select distinct upper(key_code) as key_code, run_id, slot from contacts where cell = 'mailed') as codes
            on upper(orders.key_code) = codes.key_code and codes.slot <= happened_at
    ),
    touched as (
        select response_id, run_id, 1 as preference, slot, cell
        from orders join contacts using (profile_id) where happened_at >= slot and happened_at < slot + interval 90 day
        union all
        select response_id, run_id, 2, slot, cell
        from orders join '{folder}/members.parquet' as members using (profile_id) join contacts using (household_key)
        where happened_at >= slot and happened_at < slot + interval 90 day
    ),
    by_name as (select response_id, arg_min(run_id, (preference, -epoch_ms(slot), run_id)) as run_id from named group by all),
    by_touch as (
        select
            response_id,
            arg_min(struct_pack(run_id, cell), (preference, -epoch_ms(slot))) as last
        from touched group by response_id
    )
select
    response_id, profile_id, amount,
    coalesce(by_name.run_id, case when last.cell = 'mailed' then last.run_id end) as attributed_run_id
from orders left join by_name using (response_id) left join by_touch using (response_id)
"""


COMPARED = """
select count(*), count(*) filter (ours.attributed_run_id is distinct from theirs.attributed_run_id)
from matched as ours join theirs.matched as theirs using (response_id)
"""


def write_inputs(folder: Path, orders: int) -> dict[str, object]:
    """Write contacts, orders and households. Returns their folders."""
    names = {"folder": folder, "history": folder / "history/before", "inbound": folder / "inbound", "orders": orders}
    sizes = {"contacts": 2 * orders, "people": orders // 2, "members": orders // 4}
    (folder / "history/before").mkdir(parents=True)
    (folder / "inbound/responses").mkdir(parents=True)
    with duckdb.connect(config={"memory_limit": LIMIT, "temp_directory": str(folder / "spill")}) as connection:
        for query in (CONTACTS, ORDERS, MEMBERS):
            connection.execute(query.format(**names, **sizes))
    return names


def by_models(folder: Path) -> Cost:
    project = folder / "project"
    copy_project(project)
    (project / "models/bench_households.sql").write_text(f"select * from '{folder}/members.parquet'")
    environment = {
        "DMAIL_HISTORY": str(folder / "history"),
        "DMAIL_INBOUND": str(folder / "inbound"),
        "DMAIL_MEMORY_LIMIT": LIMIT,
        "DBT_PROFILES_DIR": "profiles",
    }
    command = [sys.executable, "-P", "-c", "from dbt.cli.main import cli; cli()", "--quiet"]
    variables = ["--vars", "{dmail_households: bench_households, dmail_response_days: 90}"]
    measure([*command, "run", *variables, "--select", "+int_responses"], environment, project)
    return measure_query(project / ".dmail/warehouse.duckdb", folder, "create table matched as from int_responses", LIMIT)


def main(
    orders: Annotated[int, typer.Option(help="The number of orders; there are twice as many contacts.")] = 10_000_000,
) -> None:
    """Measure both, print the ratio, and write it to bench/results/."""
    with tempfile.TemporaryDirectory(prefix="dmail-bench-") as name:
        folder = Path(name)
        names = write_inputs(folder, orders)
        os.sync()
        costs = {
            "by hand": measure_query(folder / "hand.duckdb", folder, QUERY.format(**names), LIMIT),
            "int_responses": by_models(folder),
        }
        with duckdb.connect(str(folder / "project/.dmail/warehouse.duckdb")) as connection:
            connection.execute(f"attach '{folder}/hand.duckdb' as theirs (read_only)")
            rows, different = connection.execute(COMPARED).fetchone() or (0, 0)
    lines = [
        "| orders | contacts | by | wall s | CPU s | peak MiB | ratio |",
        "| ---: | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for contender, cost in costs.items():
        ratio = cost.wall / costs["by hand"].wall
        figures = f"{cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak / 2**20:,.0f} | {ratio:.2f}"
        lines.append(f"| {orders:,} | {2 * orders:,} | {contender} | {figures} |")
    lines += ["", f"Of {rows:,} orders, {different:,} are attributed to another mailing."]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "matching.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
