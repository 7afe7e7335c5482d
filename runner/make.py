"""Build, check and extract: from a campaign's models to whole files, in the one order in which that is safe."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import duckdb

from runner import extract, gates, history
from runner.breach import sift
from runner.build import build, build_opt_outs
from runner.campaign import SEED, Campaign
from runner.compiled import compiled_nodes, inlined
from runner.envelope import Envelope
from runner.errors import ExtractError
from runner.guard import check_opt_outs, check_volume, formulas
from runner.job import Job
from runner.parts import Content, part_path
from runner.places import places
from runner.project import KEY
from runner.transliterate import transliterate
from runner.values import Build, Churn, Part, Spooled, Verdicts, Watch, nobody_watches
from runner.warehouse import building, session

TRIAL = "temp.dmail_trial"


@dataclass(frozen=True)
class Last:
    """The campaign's last settled run before the slot: its pieces, and where it says who got them, if that is still known."""

    run_id: str
    slot: datetime
    included: int
    contacts: history.Kept | None


@dataclass(frozen=True)
class Order:
    """What is to be made: a slot's file, under a run's name; a copy's file name ends with `mark`.

    `window_start`: where the slot's window begins. `wave`: of a mailing in waves, and where its audience is once it is divided.
    `as_of`: up to when opt-outs count, where that is not the slot.
    """

    slot: datetime
    run_id: str
    last: Last | None = None
    window_start: datetime | None = None
    wave: int | None = None
    audience: Path | None = None
    mark: str = ""
    as_of: datetime | None = None

    def environment(self, campaign: Campaign) -> dict[str, str]:
        """What the models are told."""
        told = {"DMAIL_SLOT": timestamp(self.slot)}
        if self.as_of:
            told["DMAIL_AS_OF"] = timestamp(self.as_of)
        if self.window_start:
            told["DMAIL_WINDOW_START"] = timestamp(self.window_start)
        if self.wave and campaign.mail.waves:
            sizes = [wave.model_dump(include={"share", "count"}) for wave in campaign.mail.waves.sizes]
            frozen = str(self.audience) if self.audience else None
            told["DMAIL_WAVE"] = json.dumps({"number": self.wave, "sizes": sizes, "audience": frozen})
        return told


def timestamp(moment: datetime) -> str:
    """A moment as a SQL timestamp's text, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


@dataclass(frozen=True)
class Checked:
    """Relations that have passed the gates, and the session that can read them."""

    connection: duckdb.DuckDBPyConnection
    relations: Build
    verdicts: Verdicts


@contextmanager
def checked(job: Job, order: Order, *, built: Callable[[], None] = lambda: None) -> Iterator[Checked]:
    """The campaign's models, built for the slot, with a session on them. Raises BuildError, ExtractError or Held.

    `built` is called when dbt has done its part. Nobody else builds while the context lasts.
    """
    purpose = f"{job.campaign.name} for {timestamp(order.slot)}"
    with building(job.settings, purpose, job.tell) as warehouse:
        job.tell(f"build    {job.campaign.name} for {order.slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
        relations = in_folder(
            job, lambda work: build(job.settings, job.campaign, order.environment(job.campaign), work, job.run_dbt)
        )
        built()
        with session(warehouse) as connection:
            job.tell("check    targeted = included + excluded, one row per included profile")
            found = judged(job, connection, relations)
            check_opt_outs(connection, found.relations, job.campaign)
            found = replace(found, verdicts=replace(found.verdicts, churn=churn(job, found, order.last)))
            if "volume" not in job.accepted:
                check_volume(job.campaign, job.provider, found.verdicts, order.last.included if order.last else None)
            yield found


def churn(job: Job, found: Checked, last: Last | None) -> Churn | None:
    """The people against those of the last file; None where that is not known."""
    if last is None:
        return None
    looks = history.looks(found.relations, found.verdicts, job.campaign)
    counts = history.churn(found.connection, looks, last.contacts)
    return Churn(last.run_id, *counts) if counts else None


T = TypeVar("T")


def in_folder(job: Job, step: Callable[[Path], T]) -> T:
    """Run dbt in a folder of its own, which is gone afterwards: its log and results quote rows where a model fails."""
    work = job.settings.work_dir / "build" / job.campaign.name
    try:
        return step(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def recheck(job: Job, order: Order, contacts: history.Kept) -> None:
    """Look at the opt-outs as they are now for the people of a file that was frozen before. Raises Held where it has one."""
    with building(job.settings, f"opt-outs of {job.campaign.name}", job.tell) as warehouse:
        job.tell(f"recheck  {order.run_id} was frozen some time ago: who has opted out since?")
        environment = order.environment(job.campaign)
        relations = in_folder(job, lambda work: build_opt_outs(job.settings, job.campaign, environment, work, job.run_dbt))
        people = f"(select {KEY}, false as {SEED} from ({history.mailed(contacts)}))"
        with session(warehouse) as connection:
            check_opt_outs(connection, replace(relations, extract=people), job.campaign)


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
def trial(job: Job, slot: datetime, purpose: str) -> Iterator[Checked]:
    """The campaign's models over its test profiles and seeds alone, whatever its rules say, over what was built last."""
    with building(job.settings, purpose, job.tell) as warehouse:
        recipients, code = trial_models(job, slot)
        with session(warehouse) as connection:
            connection.execute(f"create temp table {TRIAL.removeprefix('temp.')} as {code}")
            found = judged(job, connection, Build(TRIAL, recipients))
            if found.verdicts.included + found.verdicts.seeds == 0:
                raise ExtractError(
                    f"{job.campaign.name} has no test profile and no seed to print",
                    todo="mark some profiles is_test_profile in stg_profiles; "
                    f"{job.campaign.name}__audience must say who is in by targeted()",
                )
            yield found


def trial_models(job: Job, slot: datetime) -> tuple[str, str]:
    """SQL of the recipients and of the extract, as a trial takes them."""
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
    people = "where not coalesce(is_seed, false)" if campaign.has_seeds else ""
    return f"(select {KEY}, cast(null as varchar) as exclusion_reason from {TRIAL} {people})", code


def make(
    job: Job,
    order: Order,
    folder: Path | None,
    *,
    built: Callable[[], None] = lambda: None,
    finished: Callable[[Spooled], None] = lambda _: None,
) -> tuple[Verdicts, list[Part]]:
    """Build, check and extract into `folder` (or into nothing); no file where nobody is included, if the provider wants none.

    `built` is called when dbt has done its part, `finished` with each part of the file that is whole.
    """
    with checked(job, order, built=built) as found:
        if folder and order.wave == 1 and order.audience is None:
            history.write_audience(found.connection, found.relations, folder)
        if found.verdicts.included == 0 and job.provider.empty == "no_file":
            return found.verdicts, []
        verdicts = replace(found.verdicts, places=places(found.connection, found.relations, found.verdicts, job.campaign))
        envelope = Envelope(job.campaign, job.provider, order.slot, order.run_id, mark=order.mark, seal=job.seal)
        job.tell(f"extract  {found.verdicts.included:,} rows into {envelope.base_name()}")
        parts = write(found, envelope, folder, finished=finished, watch=job.watch)
        if folder:
            contacts = history.Contacts(job.campaign, order.slot, order.run_id, folder)
            history.write_contacts(found.connection, found.relations, found.verdicts, contacts)
        return verdicts, parts


def write(
    found: Checked,
    envelope: Envelope,
    folder: Path | None,
    *,
    finished: Callable[[Spooled], None] = lambda _: None,
    watch: Watch = nobody_watches,
) -> list[Part]:
    """Every file of a run, those beside the parts last, in `folder`, or in none and only counted."""

    def whole(number: int, content: Content) -> None:
        if folder:
            finished(Spooled(part_of(content, number, envelope), part_path(folder, number)))

    contents = extract.extract(found.connection, found.relations, found.verdicts, envelope, folder, finished=whole, watch=watch)
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
