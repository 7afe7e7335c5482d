"""The contact history: who was put in which file. A run has a folder of Parquet, later a part of its week's; dbt reads both."""

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from dmail_runner.core.errors import DmailError
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import KEY, PIECE, Campaign
from dmail_runner.extract.rows import people
from dmail_runner.history import weeks
from dmail_runner.ledger.run import campaign_of, slot_of
from dmail_runner.project.warehouse import literal, quote

HOLDOUT = "holdout"
FILE = weeks.CONTACTS
# The people of a mailing in waves, and the wave that each is in.
AUDIENCE = "audience.parquet"


@dataclass(frozen=True)
class Contacts:
    """What is told of every contact of a run, and the folder (its spool) that they are written to."""

    campaign: Campaign
    slot: datetime
    run_id: str
    folder: Path


@dataclass(frozen=True)
class Kept:
    """Where a run's contacts lie: in a file of its own, or among those of its week, as the rows of `run_id`."""

    file: Path
    run_id: str | None = None

    @property
    def rows(self) -> str:
        """SQL for them."""
        own = f" where run_id = {literal(self.run_id)}" if self.run_id else ""
        return f"(select * from read_parquet({literal(str(self.file))}){own})"


def kept(settings: Settings, run_id: str) -> Kept | None:
    """A run's contacts; None where the history has none."""
    # The week first: the run's own file may go at any time once it is there.
    if folder := weeks.holder(settings, run_id):
        return Kept(folder / FILE, run_id)
    own = settings.history_dir / run_id / FILE
    return Kept(own) if own.exists() else None


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


def churn(connection: duckdb.DuckDBPyConnection, now: str, last: Kept | None) -> tuple[int, int] | None:
    """How many people came and how many went since the last file; None where that is not known. `now`: SQL by `looks`."""
    if last is None:
        return None
    before = mailed(last)
    ways = (f"({now}) as a anti join ({before}) as b", f"({before}) as a anti join ({now}) as b")
    came, went = (connection.execute(f"select count(*) from {way} using ({quote(KEY)})").fetchone() or (0,) for way in ways)
    return came[0], went[0]


def mailed(contacts: Kept) -> str:
    """SQL for the people whom a run has mailed."""
    return f"select * from {contacts.rows} where cell = 'mailed'"


def has_looks(contacts: Kept) -> bool:
    """Whether a run has kept hashes of what it printed; those of earlier versions have not, nor their rows in a week."""
    with duckdb.connect() as connection:
        columns = connection.execute(f"describe {mailed(contacts)}").fetchall()
        if not any(name == "row_hash" for name, *_ in columns):
            return False
        found = connection.execute(f"select count(*) = 0 or count(row_hash) > 0 from ({mailed(contacts)})").fetchone()
    return bool(found and found[0])


def compare(
    connection: duckdb.DuckDBPyConnection, now: str, recipients: str, last: Kept, most: int
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
    """Remove the contacts of a run of which nothing was delivered; what lies in a week was."""
    shutil.rmtree(settings.history_dir / run_id, ignore_errors=True)


def live_names(settings: Settings) -> set[str]:
    """The runs that have a folder of their own."""
    entries = settings.history_dir.iterdir() if settings.history_dir.is_dir() else ()
    return {entry.name for entry in entries if campaign_of(entry.name)}


def run_names(settings: Settings, campaign: str | None = None) -> set[str]:
    """The runs of which the history tells; of one campaign, or of all."""
    live = {name for name in live_names(settings) if campaign is None or campaign_of(name) == campaign}
    return live | {run.run_id for run in weeks.compacted(weeks.folders(settings), campaign)}


def forget_before(settings: Settings, campaign: str, moment: datetime) -> None:
    """Remove the contacts of a campaign's runs whose slots lie before a moment; those in a week once all of it does.

    For who has the history's lock.
    """
    for name in live_names(settings):
        if campaign_of(name) == campaign and (slot := slot_of(name)) and slot < moment:
            shutil.rmtree(settings.history_dir / name, ignore_errors=True)
    past = [folder for folder in weeks.folders(settings) if weeks.folder_week(folder).end <= moment]
    for folder in sorted({run.folder for run in weeks.compacted(past, campaign)}):
        weeks.leave_out(settings, folder, campaign)
