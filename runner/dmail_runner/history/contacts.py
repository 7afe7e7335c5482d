"""The contact history: a record for each profile and file.

Each run has a folder with a Parquet file. Later its rows move into a file of all runs of the week. dbt reads both.
"""

import os
import re
import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from dmail_runner.core.duck import connect
from dmail_runner.core.errors import DmailError
from dmail_runner.core.parquet import parquet_format, read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import KEY, OF_THE_SLOT, PIECE, PURL, PURL_HASH, SEED, VOUCHER, Campaign
from dmail_runner.extract.rows import people_query
from dmail_runner.history import weeks
from dmail_runner.history.purl import purl_hash
from dmail_runner.history.record import confirm, recorded_change
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import campaign_of, slot_of
from dmail_runner.project.warehouse import literal, quote

HOLDOUT = "holdout"
FILE = weeks.CONTACTS
# Columns of the extract and of the recipients that the history keeps, if they have them.
PRINTED = (PIECE, "key_code", VOUCHER)
OPTIONAL = ("person_key", "address_key", "treatment")
AUDIENCE = "audience.parquet"  # the people of a mailing in waves, with the wave of each
VERDICTS = "verdicts.parquet"  # of a window: see history/verdicts
FILES = (FILE, AUDIENCE, VERDICTS)  # what a run's folder may have


@dataclass(frozen=True)
class NewContacts:
    """The contacts of a run that is being made.

    Attributes:
        campaign: the run's campaign.
        slot: the run's slot, in UTC.
        run_id: the run.
        folder: the run's spool folder, where the contacts are written.
    """

    campaign: Campaign
    slot: datetime
    run_id: str
    folder: Path


@dataclass(frozen=True)
class StoredContacts:
    """The contacts of a run in the history.

    Attributes:
        file: the run's own file, or the file of its week.
        run_id: the run whose rows count, in the file of a week; None for the run's own file.
    """

    file: Path
    run_id: str | None = None

    @property
    def rows(self) -> str:
        """SQL for the rows."""
        own = f" where run_id = {literal(self.run_id)}" if self.run_id else ""
        return f"(select * from {read_parquet([self.file])}{own})"


def find_contacts(settings: Settings, run_id: str) -> StoredContacts | None:
    """A run's contacts; None if the history has none."""
    # The week comes first: as soon as it has the run, the run's own file may be removed.
    if (folder := weeks.find_folder(settings, run_id)) and (folder / FILE).exists():
        return StoredContacts(folder / FILE, run_id)
    own = settings.history_dir / run_id / FILE
    return StoredContacts(own) if own.exists() else None


def write_contacts(connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, run: NewContacts) -> None:
    """Write a run's contacts into its spool folder: one row for each profile in the file and in the control group, without seeds.

    - `cell` is `mailed` or `holdout`. `offers` has the piece's offers, such as `;bag;ten;`.
    - `row_hash` is a hash of the printed row, with which later files are compared.
    - PRINTED columns and the hash of `purl` are the extract's, and OPTIONAL ones the recipients': answers are matched by them.
    """
    key = quote(KEY)
    there = {name for name, *_ in connection.execute(f"describe {build.recipients}").fetchall()}
    kept = [quote(name) if name in there else f"cast(null as varchar) as {name}" for name in OPTIONAL]
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
                {literal(run.campaign.mail.purpose)} as purpose,
                offers,
                row_hash,
                {", ".join([*PRINTED, PURL_HASH, *kept])}
            from {build.recipients}
            left join ({row_hash_query(build, verdicts, run.campaign, also=True)}) as file using ({key})
            left join ({offers_query(build, run.campaign)}) as offers using ({key})
            where exclusion_reason = '{HOLDOUT}' or exclusion_reason is null and row_hash is not null
        ) to {literal(str(run.folder / FILE))} ({parquet_format()})
        """
    )
    with (run.folder / FILE).open("rb") as file:
        os.fsync(file.fileno())


def offers_query(build: Build, campaign: Campaign) -> str:
    """SQL for the offers of each profile: the values of the extract's columns `offer_1`, `offer_2` and so on."""
    names = [quote(column.name) for column in campaign.columns if re.fullmatch(r"offer_\d+", column.name)]
    listed = f"';' || nullif(concat_ws(';', {', '.join(names)}), '') || ';'" if names else "cast(null as varchar)"
    seeds = f" where not coalesce({quote(SEED)}, false)" if campaign.has_seeds else ""
    return f"select {quote(KEY)}, {listed} as offers from {build.extract}{seeds}"


def row_hash_query(build: Build, verdicts: Verdicts, campaign: Campaign, *, also: bool = False) -> str:
    """SQL for the profiles in the file, each with a hash of its printed columns, without those that differ in each slot.

    `also`: whether the columns PRINTED and `purl_hash` are added. They are null if the extract does not have them.
    """
    columns = (
        f"coalesce(cast({quote(column.name)} as varchar), '')" for column in campaign.exported if column.name not in OF_THE_SLOT
    )
    rows = people_query(build, verdicts, campaign)
    there = {column.name for column in campaign.columns}
    more = [f"cast({quote(name) if name in there else 'null'} as varchar) as {name}" for name in PRINTED if also]
    more += [f"{purl_hash(quote(PURL) if PURL in there else 'null')} as {PURL_HASH}"] if also else []
    hashed = f"md5_number_lower(concat_ws(chr(31), {', '.join(columns)})) as row_hash"
    return f"select {', '.join([quote(KEY), hashed, *more])} from ({rows})"


def churn(connection: duckdb.DuckDBPyConnection, now: str, last: StoredContacts | None) -> tuple[int, int] | None:
    """Count the people who are only in one of two files.

    Args:
        now: the present file, as SQL of `row_hash_query`.
        last: the contacts of the previous run.

    Returns:
        The number of people who are only in the present file, and the number of those who are only in the previous one. None if
        there is no previous file.
    """
    if last is None:
        return None
    before = mailed_query(last)
    differences = (f"({now}) as a anti join ({before}) as b", f"({before}) as a anti join ({now}) as b")
    came, went = (
        connection.execute(f"select count(*) from {rows} using ({quote(KEY)})").fetchone() or (0,) for rows in differences
    )
    return came[0], went[0]


def mailed_query(contacts: StoredContacts) -> str:
    """SQL for the contacts of the people in the file, which may have been recalled."""
    return f"select * from {contacts.rows} where cell in ('mailed', 'recalled')"


def recent_contacts(settings: Settings, limit: int) -> list[StoredContacts]:
    """The contacts of the newest runs that have a file of their own, of all campaigns, newest first."""
    names = sorted(run_folders(settings), key=lambda name: (slot_of(name), name), reverse=True)
    found = [StoredContacts(settings.history_dir / name / FILE) for name in names]
    return [contacts for contacts in found if contacts.file.exists()][:limit]


def has_row_hashes(contacts: StoredContacts) -> bool:
    """Whether a run's contacts have hashes of the printed rows. Earlier versions of the runner did not write them."""
    with connect() as connection:
        columns = connection.execute(f"describe {mailed_query(contacts)}").fetchall()
        if not any(name == "row_hash" for name, *_ in columns):
            return False
        found = connection.execute(f"select count(*) = 0 or count(row_hash) > 0 from ({mailed_query(contacts)})").fetchone()
    return bool(found and found[0])


def compare(
    connection: duckdb.DuckDBPyConnection, now: str, recipients: str, last: StoredContacts, limit: int
) -> tuple[dict[tuple[str, str], int], list[tuple[str, str, str]]]:
    """Compare the present file with the previous one.

    Args:
        now: the present file, as SQL of `row_hash_query`.
        recipients: the relation with the verdicts.
        last: the contacts of the previous run.
        limit: the largest number of people to list.

    Returns:
        The number of people by difference (`added`, `removed`, `changed` or `unchanged`) and reason, and a list of people as
        (key, difference, reason).
    """
    key = quote(KEY)
    differs = "now.row_hash is distinct from before.row_hash" if has_row_hashes(last) else "false"
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
        full join ({mailed_query(last)}) as before using ({key})
        left join ({reasons}) as reasons using ({key})
        """
    )
    counts = connection.execute("select what, reason, count(*) from dmail_diff group by all order by 1, 3 desc, 2").fetchall()
    listed = connection.execute(
        f"select {key}, what, reason from dmail_diff where what <> 'unchanged' order by what, reason, {key} limit {limit}"
    ).fetchall()
    return {(what, reason): count for what, reason, count in counts}, listed


def write_audience(connection: duckdb.DuckDBPyConnection, build: Build, folder: Path) -> None:
    """Write the audience of a mailing in waves, with the wave of each profile, into a spool folder."""
    target = f"{literal(str(folder / AUDIENCE))} ({parquet_format()})"
    connection.execute(f"copy (select {quote(KEY)}, wave_number from {build.recipients}) to {target}")
    with (folder / AUDIENCE).open("rb") as file:
        os.fsync(file.fileno())


def publish_contacts(settings: Settings, ledger: Ledger, run_id: str, folder: Path) -> None:
    """Move the contacts of a frozen run from its spool folder into the history. Each file appears by a rename."""
    target = settings.history_dir / run_id
    new = {target / name: folder / name for name in FILES if (folder / name).exists()}
    if not new:
        confirm(settings, ledger, [f"{run_id}/{name}" for name in FILES])
        return
    with recorded_change(settings, ledger, new):
        for file in new.values():
            move(file, target)


def move(file: Path, target: Path) -> None:
    """Move a file into a folder that may be on another disk. It appears there complete and synced. Raises DmailError."""
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


def remove_contacts(settings: Settings, ledger: Ledger, run_id: str) -> None:
    """Remove the contacts of a run that delivered nothing. The file of a week never has such a run.

    The verdicts of a window stay: its figures still count in totals, and the next window has the same people.
    """
    folder = settings.history_dir / run_id
    with recorded_change(settings, ledger, gone=[folder / name for name in FILES if name != VERDICTS]):
        for file in [file for file in folder.glob("*") if file.name != VERDICTS]:
            file.unlink()
        with suppress(OSError):
            folder.rmdir()


def remove_folders(settings: Settings, ledger: Ledger, run_ids: Collection[str]) -> None:
    """Remove the folders of some runs."""
    folders = [settings.history_dir / run_id for run_id in run_ids]
    with recorded_change(settings, ledger, gone=[folder / name for folder in folders for name in FILES]):
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def run_folders(settings: Settings) -> set[str]:
    """The ids of the runs that have a folder of their own."""
    entries = settings.history_dir.iterdir() if settings.history_dir.is_dir() else ()
    return {entry.name for entry in entries if campaign_of(entry.name)}


def run_ids(settings: Settings, campaign: str | None = None) -> set[str]:
    """The ids of the runs in the history, of one campaign or of all. The verdicts of a window alone are no contacts."""
    names = {name for name in run_folders(settings) if campaign in (None, campaign_of(name))}
    own = {name for name in names if {file.name for file in (settings.history_dir / name).iterdir()} != {VERDICTS}}
    return own | {run.run_id for run in weeks.compacted_runs(weeks.folders(settings), campaign)}
