"""Profiles from any file, and the project as a plain dbt project."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from project import DONE, FAILED, FILE, Project, surroundings
from warm import ask


def test_documentation_is_one_page_with_the_exposure(settled: Project) -> None:
    assert settled.call("docs").returncode == DONE
    page = (settled.path / "site/lineage.html").read_text()
    assert "exposure.dmail.spring_catalog" in page


def test_plain_dbt_works_without_the_runner(project: Project, warm_dbt: str) -> None:
    environment = {**surroundings(), "DBT_PROFILES_DIR": "profiles"}
    program = str(Path(sys.executable).with_name("dbt"))
    built = subprocess.run([program, "build"], cwd=project.path, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout
    plain = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "docs", "generate"]
    done = ask(warm_dbt, plain, cwd=project.path, env=environment)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["profiles.parquet", "profiles-*.csv", "it's mine (1).csv"])
def test_profiles_come_from_any_file_or_glob(project: Project, name: str) -> None:
    if name.endswith(".parquet"):
        assert project.call("sample-data", "--rows", "2000", "--output", "data/profiles.parquet").returncode == DONE
    elif "*" in name:
        head, *rows = (project.path / "data/profiles.csv").read_text().split("\n00000")
        for part, lines in (("a", rows[:900]), ("b", rows[900:])):
            (project.path / f"data/profiles-{part}.csv").write_text("\n00000".join([head, *lines]).rstrip("\n") + "\n")
    else:
        (project.path / "data/profiles.csv").rename(project.path / "data" / name)
    done = project.run(DMAIL_PROFILES=f"data/{name}")
    assert done.returncode == DONE, done.stderr
    (run,) = project.status()
    assert run["targeted"] == 1520
    rows_in_file = list(csv.DictReader((project.path / "outbox" / FILE).read_text().splitlines()))
    assert all(len(row["Customer ID"]) == 10 for row in rows_in_file if "seed" not in row["Customer ID"])


def test_a_file_that_duckdb_reads_in_parallel(project: Project) -> None:
    assert project.call("sample-data", "--rows", "200000", "--output", "data/many.csv").returncode == DONE
    done = project.run(DMAIL_PROFILES="data/many.csv")
    assert done.returncode == DONE, done.stderr
    assert project.status()[0]["targeted"] > 150_000


def test_a_file_that_nobody_made_for_this_project(project: Project) -> None:
    header = (
        "notes,city,profile_id,last_name,first_name,title,company,address_line1,address_line2,postal_code,region,country_code,language,"
        "marketing_consent,postal_mail_consent,created_at,updated_at,is_test_profile,lifetime_value,orders_count,last_order_at,x"
    )
    tail = "en,,,2020-01-01,2020-01-01,false,10,1,2021-01-01,ignored"
    (project.path / "data/real.csv").write_text(
        f"{header}\n"
        f'"a, b",Москва,0001,Иванова,Анна,,,"ул. Ленина, 5\nкв. 7",,101000,Москва,RU,{tail}\n'
        f'"quote "" inside",東京,0002,田中,太郎,,,"千代田1-1",,100-0001,,JP,{tail}\n'
        f',Köln,0003,"O\'Brien ""Bob""",Zoë,Dr.,"Müller, Söhne & Co",Straße 1 #5,,50667,,DE,{tail}\n'
        f",Boston,0004,Empty,,,,1 Main St,,02134,MA,,{tail}\n"
    )
    done = project.run(DMAIL_PROFILES="data/real.csv")
    assert done.returncode == DONE, done.stderr
    with (project.path / "outbox" / FILE).open(newline="") as file:
        rows = {row["Customer ID"]: row for row in csv.DictReader(file)}
    assert rows["0001"]["Address 1"] == "ул. Ленина, 5 кв. 7"
    assert rows["0002"]["Full Name"] == "太郎 田中"
    assert rows["0003"]["Full Name"] == 'Dr. Zoë O\'Brien "Bob"'
    assert rows["0003"]["Address 1"] == "Straße 1 #5"
    assert rows["0004"] | {"Country Code": "US", "Postal Code": "02134", "State": "MA"} == rows["0004"]


def test_what_does_not_fit_into_memory_is_spilled_and_gone(project: Project) -> None:
    assert project.call("sample-data", "--rows", "100000", "--force").returncode == DONE
    refused = project.run(DMAIL_MEMORY_LIMIT="40MB")
    assert refused.returncode == FAILED
    assert "raise DMAIL_MEMORY_LIMIT, or set `threads: 1` in the target" in refused.stderr
    # Two models at a time share the limit, and how much each of them needs at once depends on the machine.
    project.edit("profiles/profiles.yml", "threads: 2", "threads: 1")
    done = project.run(DMAIL_MEMORY_LIMIT="200MB")
    assert done.returncode == DONE, done.stderr
    assert not [path for path in (project.path / ".dmail/tmp").rglob("*") if path.is_file()]
    spill = project.path / ".dmail/tmp/dmail-spill"
    assert spill.stat().st_mode & 0o077 == 0, "other users cannot read what is spilled"
