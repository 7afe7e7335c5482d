"""Profiles and a contact history on which two engines would differ first, and what was delivered from them."""

import hashlib
import shutil
from contextlib import nullcontext
from datetime import UTC, datetime

import duckdb

from dmail_runner.core.settings import Settings
from dmail_runner.history import weeks
from project import DONE, SLOT, Project
from ugly import write_ugly


def difficult(project: Project) -> None:
    """Let the project read ugly profiles and suppressions from Parquet, and have mailed a third of them some days ago."""
    data = project.path / "data"
    write_ugly(data / "ugly.csv", "2026-11-01")
    with duckdb.connect() as connection:
        connection.execute(f"set file_search_path = '{data}'")
        # What is written in one script or form and printed in another: where two engines differ first.
        connection.execute("""
            create table profiles as
            select * replace (
                case hash(profile_id) % 9
                    when 0 then 'ΟΔΥΣΣΕΥΣ ' || first_name when 1 then 'MCDONALD-o''neil ' || first_name
                    when 2 then 'stra' || 'ß' || 'e' when 3 then nfc_normalize('Zoë') || chr(776) when 4 then 'e' || chr(769) || 'ŉ'
                    when 5 then 'İıǅ ' || first_name when 6 then 'a\\b $1 "q" ' || first_name else first_name
                end as first_name,
                case when hash(profile_id) % 4 = 0 then '2026-11-01 10:00:00' else created_at end as created_at,
                case when hash(profile_id) % 50 = 0 then '1234567.895' else lifetime_value end as lifetime_value
            ) from read_csv('profiles.csv', all_varchar = true)
            union all by name select * from read_csv('ugly.csv', all_varchar = true) where length(first_name) < 100
        """)
        connection.execute(f"copy profiles to '{data}/difficult.parquet'")
        connection.execute(f"copy (from read_csv('suppressions.csv', all_varchar = true)) to '{data}/suppressions.parquet'")
    project.environment.update(DMAIL_PROFILES="data/difficult.parquet", DMAIL_SUPPRESSIONS="data/suppressions.parquet")
    for slot in ("2026-10-05T10:00Z", "2026-10-26T10:00Z"):
        assert project.run(slot).returncode == DONE
        shutil.rmtree(project.path / "outbox")
    older, newer = sorted((project.path / ".dmail/contact_history").glob("*/contacts.parquet"))
    with duckdb.connect() as connection:
        connection.execute(f"copy (from '{newer}' where hash(profile_id) % 3 = 0) to '{newer}'")
    settings = Settings(project.path, project.path / ".dmail", project.path / ".dmail/contact_history", None, None)
    weeks.compact(settings, "2026-W41-1", {older.parent.name: older}, datetime(2026, 10, 20, tzinfo=UTC), nullcontext)
    assert project.call("audit", "reconcile", "--reason", "the history was changed").returncode == DONE


def hashes(project: Project) -> dict[str, str]:
    return {name: hashlib.sha256((project.path / "outbox" / name).read_bytes()).hexdigest() for name in project.delivered}


def mail(project: Project, campaign: str) -> None:
    done = project.call("run", campaign, "--slot", SLOT, "--accept", "volume")
    assert done.returncode == DONE, done.stderr
