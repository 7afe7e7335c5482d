"""The whole rule set against one hand-written query: 10 million profiles, suppression lists, contact history.

Target: `dbt build` of spring_catalog within 3 times the query, under 6 GiB.
"""

import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from bench.measure import Cost, measure
from runner.sample import write_sample

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
SLOT = "2026-10-05 10:00:00"

# What somebody would write who needs the letters once, and no verdicts: the same people, by the same keys.
QUERY = r"""
create table letters as
with
    listed as (
        select profile_id, last_name, first_name, address_line1, address_line2, postal_code, country_code
        from read_csv('{suppressions}', all_varchar = true, quote = '"')
        where list_name in ('do_not_mail', 'deceased', 'returned')
    ),
    keyed as (
        select
            profiles.*,
            country_name,
            nullif(concat_ws(' ', title, first_name, last_name), '') as full_name,
            regexp_replace(translate(strip_accents(lower(coalesce(last_name, first_name, company))), 'øłđß', 'olds'),
                '([aou])e|[^\p{{L}}\p{{N}}]+', '\1', 'g') as surname,
            regexp_replace(translate(strip_accents(lower(coalesce(
                nullif(concat_ws(' ', first_name, last_name), ''), company))), 'øłđß', 'olds'),
                '([aou])e|[^\p{{L}}\p{{N}}]+', '\1', 'g') as whole_name,
            {street} || coalesce(substr(postal_code, 1, 5), city) || country_code as place
        from read_parquet('{profiles}') as profiles
        inner join read_csv('{countries}', all_varchar = true, quote = '"') as countries using (country_code)
        where
            is_test_profile = 'false'
            and orders_count > 0
            and last_order_at::timestamp < timestamp '{slot}' - interval 12 month
            and coalesce(postal_mail_consent, '') <> 'n'
            and coalesce(marketing_consent, '') <> 'n'
            and coalesce(first_name, last_name, company) is not null
            and address_line1 is not null
            and city is not null
            and postal_code is not null
    ),
    mailable as (
        select *, md5(surname || '|' || place) as household
        from keyed
        where
            profile_id not in (select profile_id from listed where profile_id is not null)
            and whole_name || place not in (
                select
                    regexp_replace(translate(strip_accents(lower(concat_ws(' ', first_name, last_name))), 'øłđß', 'olds'),
                        '([aou])e|[^\p{{L}}\p{{N}}]+', '\1', 'g')
                    || {street} || substr(postal_code, 1, 5) || country_code
                from listed
                where address_line1 is not null and postal_code is not null
            )
    ),
    capped as (
        select *
        from mailable
        where substr(household, 1, 16) not in (
            select household_key
            from read_parquet('{history}')
            where cell = 'mailed' and slot > timestamp '{slot}' - interval 30 day and household_key is not null
        )
        qualify row_number() over (partition by household order by lifetime_value desc, profile_id) = 1
    )
select
    profile_id, full_name, company, address_line1, address_line2, city, region, postal_code, upper(country_name) as country,
    country_code, language, upper(substr(md5('spring_catalog/{slot}/' || profile_id), 1, 12)) as piece_id, false as is_seed
from capped
where substr(md5('spring_catalog/holdout/' || profile_id), 1, 8) >= '0ccccccd'
"""
STREET = r"""regexp_replace(strip_accents(lower(concat_ws(' ', address_line1, address_line2))) || ' ',
    '(?:\b(?:(st)(?:r|reet)?|(av)(?:e|enue)?|(r)(?:oa)?d|(dr)(?:ive|v)?|(l)(?:ane|n)|(b)(?:oulevard|lvd|d)|(c)(?:our)?t|(pl)(?:ace)?))?'
    '(?:[^\p{L}\p{N}]+(?:apartment|apt|unit|suite|ste|no|nr)\b)*[^\p{L}\p{N}]+', '\1\2\3\4\5\6\7\8 ', 'g')"""


def write_inputs(folder: Path, rows: int) -> None:
    """Profiles, a tenth of them on suppression lists, and two old contacts for each."""
    write_sample(folder / "profiles.parquet", rows, date(2026, 10, 1))
    history = folder / "history" / "before"
    history.mkdir(parents=True)
    with duckdb.connect(config={"memory_limit": "4GB", "temp_directory": str(folder / "spill")}) as connection:
        connection.execute(
            f"""
            copy (
                select
                    ['do_not_mail', 'returned', 'deceased'][1 + (i % 3)] as list_name, 'bench' as reason,
                    lpad(cast(i * 10 as varchar), 10, '0') as profile_id, null as first_name, null as last_name, null as company,
                    null as address_line1, null as address_line2, null as city, null as postal_code, null as country_code,
                    null as valid_from, null as valid_until, '2026-10-01' as as_of
                from range({rows} // 10) as numbers(i)
                union all by name
                from read_csv('{folder}/suppressions.csv', all_varchar = true)
            ) to '{folder}/lists.csv' (format csv, header true)
            """
        )
        connection.execute(
            f"""
            copy (
                select
                    lpad(cast(i // 2 as varchar), 10, '0') as profile_id,
                    substr(md5(cast(i // 2 as varchar)), 1, 16) as household_key,
                    'autumn' as campaign,
                    timestamp '2026-10-05' - to_days(cast(1 + hash(i) % 700 as int)) as slot,
                    'before' as run_id,
                    'mailed' as cell
                from range({2 * rows}) as numbers(i)
            ) to '{history}/contacts.parquet' (format parquet, compression zstd)
            """
        )


def by_hand(folder: Path) -> Cost:
    query = QUERY.format(
        suppressions=folder / "lists.csv",
        profiles=folder / "profiles.parquet",
        history=folder / "history/before/contacts.parquet",
        countries=ROOT / "seeds/countries.csv",
        slot=SLOT,
        street=STREET,
    )
    (folder / "query.sql").write_text(query)
    script = (
        "import duckdb, sys; limits = {'memory_limit': '4GB', 'temp_directory': sys.argv[2]}; "
        "duckdb.connect(sys.argv[1], config=limits).execute(open(sys.argv[3]).read())"
    )
    return measure([sys.executable, "-c", script, str(folder / "hand.duckdb"), str(folder / "spill"), str(folder / "query.sql")])


def by_dbt(folder: Path) -> Cost:
    project = folder / "project"
    (project / ".dmail").mkdir(parents=True)
    for part in ("dbt_project.yml", "models", "macros", "seeds", "profiles", "tests/dbt"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, project / part)
    environment = {
        "DMAIL_PROFILES": str(folder / "profiles.parquet"),
        "DMAIL_SUPPRESSIONS": str(folder / "lists.csv"),
        "DMAIL_HISTORY": str(folder / "history"),
        "DMAIL_SLOT": SLOT,
        "DMAIL_MEMORY_LIMIT": "4GB",
        "DBT_PROFILES_DIR": "profiles",
    }
    command = [sys.executable, "-P", "-c", "from dbt.cli.main import cli; cli()", "--quiet"]
    measure([*command, "parse"], environment, project)
    return measure([*command, "build", "--select", "+exposure:spring_catalog"], environment, project)


def main(rows: Annotated[int, typer.Option(help="How many profiles.")] = 10_000_000) -> None:
    """Measure both, print the ratio, and write it to bench/results/."""
    with tempfile.TemporaryDirectory(prefix="dmail-bench-") as name:
        folder = Path(name)
        write_inputs(folder, rows)
        os.sync()
        costs = {"by hand": by_hand(folder), "dbt build": by_dbt(folder)}
        with duckdb.connect(str(folder / "project/.dmail/warehouse.duckdb"), read_only=True) as connection:
            letters = connection.execute("select count(*) filter (not is_seed) from spring_catalog__extract").fetchone()
        with duckdb.connect(str(folder / "hand.duckdb"), read_only=True) as connection:
            by_query = connection.execute("select count(*) from letters").fetchone()
    lines = ["| profiles | contender | wall s | CPU s | peak MiB | ratio |", "| ---: | --- | ---: | ---: | ---: | ---: |"]
    for contender, cost in costs.items():
        ratio = cost.wall / costs["by hand"].wall
        lines.append(f"| {rows:,} | {contender} | {cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak / 2**20:,.0f} | {ratio:.2f} |")
    lines += ["", f"Letters: {letters} by dbt, {by_query} by hand."]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "rules.json").write_text(json.dumps({name: asdict(cost) for name, cost in costs.items()}, indent=2) + "\n")
    (RESULTS / "rules.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
