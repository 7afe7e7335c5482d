"""The models on PostgreSQL, and DuckDB for the last mile: the same letters as from DuckDB alone."""

import shutil
import subprocess
from pathlib import Path

from difficult import difficult, hashes, mail
from project import DONE, FAILED, SLOT, Project

CAMPAIGNS = ("loyalty_offer", "renewal_notice", "welcome_letter", "spring_catalog")


def test_every_campaign_is_the_same_file_from_postgresql(project: Project, postgresql: list[str], tmp_path: Path) -> None:
    def asked(query: str, database: str = "dmail") -> list[str]:
        command = [*postgresql, "-d", database, "-c", query]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    difficult(project)
    other = Project(Path(shutil.copytree(project.path, tmp_path / "other")))
    for campaign in CAMPAIGNS:
        mail(project, campaign)
    host = postgresql[postgresql.index("-h") + 1]
    other.environment.update(project.environment, DMAIL_TARGET="postgres", DMAIL_POSTGRES_HOST=host, DMAIL_POSTGRES_USER="test")

    # What another language sorts is other people.
    asked("create database spoken template template0 lc_collate 'C' lc_ctype 'C.UTF-8'", "postgres")
    refused = other.call("run", CAMPAIGNS[0], "--slot", SLOT, DMAIL_POSTGRES_DATABASE="spoken")
    assert refused.returncode == FAILED
    assert "createdb --template=template0 --encoding=UTF8 --locale=C" in refused.stderr

    asked("create database dmail", "postgres")
    for campaign in CAMPAIGNS:
        mail(other, campaign)
    assert len(project.delivered) == len(CAMPAIGNS)
    assert hashes(other) == hashes(project)
    capped = [run["excluded"].get("frequency_cap", 0) for run in other.status() if run["run_id"].endswith("20261102T110000Z")]
    assert max(capped) > 100, "the contact history was read"

    # A person leaves the schema of the target, and nothing else is changed.
    (person,) = asked("select min(profile_id) from dmail.stg_profiles where profile_id ~ '^[0-9]+$'")
    asked(f"create schema crm; create table crm.people as select '{person}' as profile_id")
    asked(f"create table dmail.kept as select '{person}' as profile_id union all select 'somebody'")
    assert other.call("doctor").stdout.count("the schema dmail of the database dmail on PostgreSQL") == 1
    done = other.call("forget", person, "--reason", "a request")
    assert done.returncode == DONE, done.stderr
    assert asked("select profile_id from dmail.kept") == ["somebody"]
    assert asked("select count(*) from crm.people") == ["1"]
    tables = set(asked("select tablename from pg_tables where schemaname = 'dmail'"))
    assert "regions" in tables
    assert not [table for table in tables if table.startswith(("files_", "stg_", "int_")) or "__" in table]
