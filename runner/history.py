"""The contact history: who was put in which file, one folder of Parquet a run, which dbt reads as a source."""

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from runner.campaign import Campaign
from runner.errors import DmailError
from runner.extract import rows_query
from runner.project import KEY
from runner.settings import Settings
from runner.values import Build, Verdicts
from runner.warehouse import literal, quote

HOLDOUT = "holdout"
FILE = "contacts.parquet"


@dataclass(frozen=True)
class Contacts:
    """What is told of every contact of a run, and the folder (its spool) that they are written to."""

    campaign: Campaign
    slot: datetime
    run_id: str
    folder: Path


def write_contacts(connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, run: Contacts) -> None:
    """Write a run's contacts into its spool: who is in the file as `mailed`, and the control group as `holdout`. No seeds."""
    key = quote(KEY)
    connection.execute(
        f"""
        copy (
            select
                {key},
                household_key,
                {literal(run.campaign.name)} as campaign,
                timestamp '{run.slot.astimezone(UTC):%Y-%m-%d %H:%M:%S}' as slot,
                {literal(run.run_id)} as run_id,
                case when exclusion_reason is null then 'mailed' else '{HOLDOUT}' end as cell
            from {build.recipients}
            where exclusion_reason = '{HOLDOUT}'
                or exclusion_reason is null and {key} in (select {key} from ({rows_query(build, verdicts, run.campaign)}))
        ) to {literal(str(run.folder / FILE))} (format parquet, compression zstd)
        """
    )
    with (run.folder / FILE).open("rb") as file:
        os.fsync(file.fileno())


def put_contacts(settings: Settings, run_id: str, folder: Path) -> None:
    """Move a frozen run's contacts from its spool into the history, by one rename; nothing where they are there already."""
    if not (folder / FILE).exists():
        return
    target = settings.history_dir / run_id
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The history may lie on another disk than the spool: what dbt's glob sees appears whole.
        shutil.copyfile(folder / FILE, target / f".{FILE}")
        with (target / f".{FILE}").open("rb") as file:
            os.fsync(file.fileno())
        (target / f".{FILE}").replace(target / FILE)
        directory = os.open(target, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        (folder / FILE).unlink()
    except OSError as error:
        raise DmailError(f"the contact history {target} cannot be written: {error.strerror}") from None


def take_back_contacts(settings: Settings, run_id: str) -> None:
    """Remove the contacts of a run of which nothing was delivered."""
    shutil.rmtree(settings.history_dir / run_id, ignore_errors=True)
