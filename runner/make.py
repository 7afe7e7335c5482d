"""Build, check and extract: from a campaign's models to whole files, in the one order in which that is safe."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from runner import extract, gates, history
from runner.breach import sift
from runner.build import build
from runner.compiled import compiled_nodes, inlined
from runner.envelope import Envelope
from runner.errors import ExtractError
from runner.guard import check_opt_outs, check_volume, formulas
from runner.job import Job
from runner.parts import Content, part_path
from runner.project import KEY
from runner.settings import find_warehouse
from runner.transliterate import transliterate
from runner.values import Build, Part, Spooled, Verdicts
from runner.warehouse import session

TRIAL = "temp.dmail_trial"


@dataclass(frozen=True)
class Last:
    """The campaign's last settled run before the slot: its pieces, and the file that says who got them."""

    run_id: str
    slot: datetime
    included: int
    contacts: Path


@dataclass(frozen=True)
class Checked:
    """Relations that have passed the gates, and the session that can read them."""

    connection: duckdb.DuckDBPyConnection
    relations: Build
    verdicts: Verdicts


@contextmanager
def checked(
    job: Job, slot: datetime, run_id: str, last: Last | None, *, built: Callable[[], None] = lambda: None
) -> Iterator[Checked]:
    """The campaign's models, built for the slot, with a session on them. Raises BuildError, ExtractError or Held.

    `built` is called when dbt has done its part.
    """
    relations = built_relations(job, slot, run_id)
    built()
    with session(find_warehouse(job.settings)) as connection:
        job.tell("check    targeted = included + excluded, one row per included profile")
        found = judged(job, connection, relations)
        check_opt_outs(connection, found.relations, job.campaign)
        if "volume" not in job.accepted:
            churn = None
            if last and job.campaign.mail.guard.max_churn is not None:
                churn = history.churn(connection, history.looks(found.relations, found.verdicts, job.campaign), last.contacts)
            check_volume(job.campaign, job.provider, found.verdicts, last.included if last else None, churn)
        yield found


def built_relations(job: Job, slot: datetime, run_id: str) -> Build:
    """Run dbt in a folder of its own, which is gone afterwards."""
    warehouse = find_warehouse(job.settings)
    work = job.settings.work_dir / "build" / run_id
    # What a killed run has left there holds personal data, too.
    shutil.rmtree(work.parent, ignore_errors=True)
    shutil.rmtree(warehouse.spill, ignore_errors=True)
    job.settings.prepare()
    try:
        warehouse.path.parent.mkdir(parents=True, exist_ok=True)
        job.tell(f"build    {job.campaign.name} for {slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
        return build(job.settings, job.campaign, slot, work, job.run_dbt)
    finally:
        # dbt's log and results quote rows where a model fails.
        shutil.rmtree(work, ignore_errors=True)


def judged(job: Job, connection: duckdb.DuckDBPyConnection, relations: Build) -> Checked:
    """The relations as the provider takes them: in its characters, each row once, none that breaches its contract."""
    relations, rewritten = transliterate(connection, relations, job.campaign, job.provider.format)
    for told in rewritten:
        lacked = f"{told.count:,} characters of {told.column} that {job.provider.format.encoding} lacks"
        job.tell(f"note     {lacked} are written otherwise, such as {told.character} as {told.text!r}")
    verdicts = gates.check(connection, relations, job.campaign)
    relations, verdicts = sift(connection, relations, verdicts, job.campaign, job.provider)
    for column, count in formulas(connection, relations, job.campaign):
        job.tell(f"note     {count:,} values of {column} begin with = + - or @, which a spreadsheet takes for a formula")
    return Checked(connection, relations, verdicts)


@contextmanager
def trial(job: Job, slot: datetime) -> Iterator[Checked]:
    """The campaign's models over its test profiles and seeds alone, whatever its rules say, over what was built last."""
    campaign = job.campaign
    models = [f"+{campaign.extract.split('.')[-1]},resource_type:model"]
    nodes = compiled_nodes(job, slot, models, "DMAIL_TEST_PROFILES")
    prefix = f"{campaign.name}__"
    audience = next(
        (
            node
            for node in nodes[campaign.recipients]["depends_on"]["nodes"]
            if nodes.get(node, {}).get("name", "").startswith(prefix)
        ),
        None,
    )
    if audience is None:
        raise ExtractError(f"{campaign.name} has no model {prefix}audience that could be asked for test profiles")
    everybody = (
        f"(select {KEY}, null as household_key, cast(null as varchar) as exclusion_reason "
        f"from ({inlined(nodes, audience, prefix, {})}))"
    )
    code = inlined(nodes, campaign.extract, prefix, {campaign.recipients: everybody})
    with session(find_warehouse(job.settings)) as connection:
        connection.execute(f"create temp table {TRIAL.removeprefix('temp.')} as {code}")
        people = "where not coalesce(is_seed, false)" if campaign.has_seeds else ""
        recipients = f"(select {KEY}, cast(null as varchar) as exclusion_reason from {TRIAL} {people})"
        found = judged(job, connection, Build(TRIAL, recipients))
        if found.verdicts.included + found.verdicts.seeds == 0:
            raise ExtractError(
                f"{campaign.name} has no test profile and no seed to print",
                todo=f"mark some profiles is_test_profile in stg_profiles; {prefix}audience must say who is in by targeted()",
            )
        yield found


def make(
    job: Job,
    slot: datetime,
    run_id: str,
    folder: Path | None,
    last: Last | None,
    *,
    built: Callable[[], None] = lambda: None,
    finished: Callable[[Spooled], None] = lambda _: None,
) -> tuple[Verdicts, list[Part]]:
    """Build, check and extract into `folder` (or into nothing); no file where nobody is included, if the provider wants none.

    `built` is called when dbt has done its part, `finished` with each part of the file that is whole.
    """
    with checked(job, slot, run_id, last, built=built) as found:
        if found.verdicts.included == 0 and job.provider.empty == "no_file":
            return found.verdicts, []
        envelope = Envelope(job.campaign, job.provider, slot, run_id, seal=job.seal)
        job.tell(f"extract  {found.verdicts.included:,} rows into {envelope.base_name()}")
        parts = write(found, envelope, folder, finished)
        if folder:
            contacts = history.Contacts(job.campaign, slot, run_id, folder)
            history.write_contacts(found.connection, found.relations, found.verdicts, contacts)
        return found.verdicts, parts


def write(
    found: Checked, envelope: Envelope, folder: Path | None, finished: Callable[[Spooled], None] = lambda _: None
) -> list[Part]:
    """Every file of a run, those beside the parts last, in `folder`, or in none and only counted."""

    def whole(number: int, content: Content) -> None:
        if folder:
            finished(Spooled(part_of(content, number, envelope), part_path(folder, number)))

    contents = extract.extract(found.connection, found.relations, found.verdicts, envelope, folder, finished=whole)
    parts = [part_of(content, number, envelope) for number, content in enumerate(contents, start=1)]
    return [*parts, *side_parts(envelope, parts, folder)]


def part_of(content: Content, number: int, envelope: Envelope) -> Part:
    """A written file as the ledger will know it."""
    return Part(
        number=number,
        name=envelope.part_name(number),
        rows=content.rows,
        bytes=content.bytes,
        sha256=content.sha256,
        route=envelope.provider.route,
        plain_bytes=content.plain.bytes if content.plain else None,
        plain_sha256=content.plain.sha256 if content.plain else None,
    )


def side_parts(envelope: Envelope, parts: list[Part], folder: Path | None) -> Iterator[Part]:
    """The files beside the parts, written into `folder`."""
    for number, (name, text) in enumerate(envelope.side_files(parts), start=len(parts) + 1):
        content = text.encode()
        if folder:
            with part_path(folder, number).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        digest = hashlib.sha256(content).hexdigest()
        yield Part(number, name, 0, len(content), digest, envelope.provider.route, side=True)
