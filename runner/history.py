"""The contact history: who was put in which file, one folder of Parquet a run, which dbt reads as a source."""

import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from runner.campaign import PIECE, Campaign
from runner.errors import DmailError
from runner.extract import people
from runner.project import KEY
from runner.settings import Settings
from runner.values import Build, Verdicts
from runner.warehouse import literal, quote

HOLDOUT = "holdout"
FILE = "contacts.parquet"
# The people of a mailing in waves, and the wave that each is in.
AUDIENCE = "audience.parquet"


@dataclass(frozen=True)
class Contacts:
    """What is told of every contact of a run, and the folder (its spool) that they are written to."""

    campaign: Campaign
    slot: datetime
    run_id: str
    folder: Path


def write_contacts(connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, run: Contacts) -> None:
    """Write a run's contacts into its spool: who is in the file as `mailed`, and the control group as `holdout`. No seeds.

    `row_hash`: of the row as printed, by which the next file is compared with this one.
    """
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
                case when exclusion_reason is null then 'mailed' else '{HOLDOUT}' end as cell,
                row_hash
            from {build.recipients}
            left join ({looks(build, verdicts, run.campaign)}) as file using ({key})
            where exclusion_reason = '{HOLDOUT}' or exclusion_reason is null and row_hash is not null
        ) to {literal(str(run.folder / FILE))} (format parquet, compression zstd)
        """
    )
    with (run.folder / FILE).open("rb") as file:
        os.fsync(file.fileno())


def looks(build: Build, verdicts: Verdicts, campaign: Campaign) -> str:
    """SQL for the people in the file, and a hash of what is printed for each, but for the piece's name."""
    columns = (f"coalesce(cast({quote(column.name)} as varchar), '')" for column in campaign.exported if column.name != PIECE)
    rows = people(build, verdicts, campaign)
    return f"select {quote(KEY)}, md5_number_lower(concat_ws(chr(31), {', '.join(columns)})) as row_hash from ({rows})"


def churn(connection: duckdb.DuckDBPyConnection, now: str, last: Path) -> tuple[int, int] | None:
    """How many people came and how many went since the last file; None where that is not known. `now`: SQL by `looks`."""
    if not last.exists():
        return None
    before = mailed(last)
    ways = (f"({now}) as a anti join ({before}) as b", f"({before}) as a anti join ({now}) as b")
    came, went = (connection.execute(f"select count(*) from {way} using ({quote(KEY)})").fetchone() or (0,) for way in ways)
    return came[0], went[0]


def mailed(contacts: Path) -> str:
    """SQL for the people whom a run has mailed."""
    return f"select * from read_parquet({literal(str(contacts))}) where cell = 'mailed'"


def has_looks(contacts: Path) -> bool:
    """Whether a run has kept hashes of what it printed; those of earlier versions have not."""
    with duckdb.connect() as connection:
        columns = connection.execute(f"describe {mailed(contacts)}").fetchall()
    return any(name == "row_hash" for name, *_ in columns)


def compare(
    connection: duckdb.DuckDBPyConnection, now: str, recipients: str, last: Path, most: int
) -> tuple[dict[tuple[str, str], int], list[tuple[str, str, str]]]:
    """The present file against the last one: people by what happened to them and why, and up to `most` of them by name.

    `now`: SQL by `looks`; `recipients`: the relation that says why somebody is out.
    """
    key = quote(KEY)
    differs = "now.row_hash is distinct from before.row_hash" if has_looks(last) else "false"
    reasons = f"select {key}, coalesce(exclusion_reason, 'left_out') as now_out from {recipients}"
    connection.execute(
        f"""
        create or replace temp table dmail_diff as
        select
            {key},
            case
                when before.{key} is null then 'added'
                when now.{key} is null then 'removed'
                when {differs} then 'changed'
                else 'unchanged'
            end as what,
            case when now.{key} is null then coalesce(now_out, 'not_targeted') else '' end as reason
        from ({now}) as now
        full join ({mailed(last)}) as before using ({key})
        left join ({reasons}) as reasons using ({key})
        """
    )
    counts = connection.execute("select what, reason, count(*) from dmail_diff group by all order by 1, 3 desc, 2").fetchall()
    listed = connection.execute(
        f"select {key}, what, reason from dmail_diff where what <> 'unchanged' order by what, reason, {key} limit {most}"
    ).fetchall()
    return {(what, reason): count for what, reason, count in counts}, listed


def write_audience(connection: duckdb.DuckDBPyConnection, build: Build, folder: Path) -> None:
    """Write who is in which wave into the spool of the first."""
    connection.execute(
        f"copy (select {quote(KEY)}, wave_number from {build.recipients}) to {literal(str(folder / AUDIENCE))} "
        "(format parquet, compression zstd)"
    )
    with (folder / AUDIENCE).open("rb") as file:
        os.fsync(file.fileno())


def put_contacts(settings: Settings, run_id: str, folder: Path) -> None:
    """Move a frozen run's contacts from its spool into the history, each file by one rename; what is there already stays."""
    for name in (FILE, AUDIENCE):
        if (folder / name).exists():
            put(folder / name, settings.history_dir / run_id)


def put(file: Path, target: Path) -> None:
    """Move a file into a folder of the history, which may lie on another disk: it appears there whole, and is on that disk."""
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(file, target / f".{file.name}")
        with (target / f".{file.name}").open("rb") as copy:
            os.fsync(copy.fileno())
        (target / f".{file.name}").replace(target / file.name)
        directory = os.open(target, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        file.unlink()
    except OSError as error:
        raise DmailError(f"the contact history {target} cannot be written: {error.strerror}") from None


def take_back_contacts(settings: Settings, run_id: str) -> None:
    """Remove the contacts of a run of which nothing was delivered."""
    shutil.rmtree(settings.history_dir / run_id, ignore_errors=True)


def run_names(settings: Settings) -> list[str]:
    """The runs of which the history tells."""
    return [folder.name for folder in settings.history_dir.iterdir()] if settings.history_dir.is_dir() else []


def forget_before(settings: Settings, campaign: str, moment: datetime) -> None:
    """Remove the contacts of a campaign's runs whose slots lie before a moment."""
    for name in run_names(settings):
        if campaign_of(name) == campaign and name[len(campaign) + 1 :][:16] < f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}":
            shutil.rmtree(settings.history_dir / name, ignore_errors=True)


def campaign_of(run_id: str) -> str | None:
    """Whose run it is, by its name."""
    found = re.fullmatch(r"(\w+)-\d{8}T\d{6}Z(-w\d+)?(-r\d+)?", run_id)
    return found[1] if found else None
