"""Builds a campaign's models, and applies every gate to them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TypeVar

import duckdb

from dmail_runner import history
from dmail_runner.check import figures
from dmail_runner.check.baseline import count_baseline
from dmail_runner.check.contract import apply_contract
from dmail_runner.check.exclusions import Figures, check_contact_ids, check_exclusions, check_near_matches
from dmail_runner.check.formulas import count_formulas
from dmail_runner.check.opt_outs import check_opt_outs, keep_profiles
from dmail_runner.check.sources import check_sources
from dmail_runner.check.transliterate import transliterate
from dmail_runner.check.volume import check_volume
from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Held
from dmail_runner.core.values import Build, Churn, Comparison, Verdicts
from dmail_runner.declare.campaign import KEY, SEED
from dmail_runner.project.build import build, build_opt_outs
from dmail_runner.project.warehouse import lock_warehouse, session
from dmail_runner.run.job import Job
from dmail_runner.run.order import Last, Order, timestamp

RECENT = 5  # the number of runs of the contact history whose ids are compared with the file's


@dataclass(frozen=True)
class Checked:
    """Relations that have passed the gates, and the session that can read them."""

    connection: duckdb.DuckDBPyConnection
    relations: Build
    verdicts: Verdicts


@contextmanager
def checked(job: Job, order: Order, *, built: Callable[[], None] = lambda: None) -> Iterator[Checked]:
    """Build a campaign's models and apply the gates. The warehouse is locked within the context.

    Args:
        job: the campaign's job.
        order: the order of the run.
        built: called when dbt has built the models.

    Raises:
        SourceError: if a source is too old or incomplete.
        BuildError, ExtractError: if a step fails.
        Held: if a gate holds the run.
    """
    purpose = f"{job.campaign.name} for {timestamp(order.slot)}"
    with lock_warehouse(job.settings, purpose, job.tell) as warehouse:
        sources = check_sources(job.campaign.inputs, warehouse, job.settings.project_dir, order.now)
        for source in sources:
            if source.warning:
                job.tell(f"warning  {source.warning}")
        job.tell(f"build    {job.campaign.name} for {order.slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
        relations = in_folder(
            job, lambda work: build(job.settings, job.campaign, order.environment(job.campaign), work, job.run_dbt, tell=job.tell)
        )
        built()
        with session(warehouse) as connection:
            job.tell("check    targeted = included + excluded, one row per included profile")
            found = judged(job, connection, relations)
            found = replace(found, verdicts=replace(found.verdicts, sources=sources))
            yield gated(job, found, order.last)


def gated(job: Job, found: Checked, last: Last | None) -> Checked:
    """Apply the gates that hold a run. Raises Held with the figures of what was built."""
    try:
        found = replace(found, relations=keep_profiles(found.connection, found.relations))
        check_opt_outs(found.connection, found.relations, job.campaign)
        baseline = count_baseline(found.connection, found.relations)
        found = replace(found, verdicts=replace(found.verdicts, baseline=baseline))
        check_against_last(job, found, last)
        found = replace(found, verdicts=replace(found.verdicts, churn=churn(job, found, last)))
        if "volume" not in job.accepted:
            check_volume(job.campaign, job.provider, found.verdicts, last.included if last else None)
    except Held as held:
        before = last.verdicts if last else None
        held.figures = Comparison(found.verdicts, last.run_id if last else None, before, held.limits)
        raise
    return found


def check_against_last(job: Job, found: Checked, last: Last | None) -> None:
    """Check the suppression lists, the ids, and the exclusions against those of the last run. Raises Held."""
    for entry in found.verdicts.baseline.lists if found.verdicts.baseline else ():
        job.tell(f"list     {entry}")
    check_near_matches(job.campaign, found.verdicts.baseline)
    contacts = [last.contacts] if last and last.contacts else []
    contacts += history.recent_contacts(job.settings, RECENT)
    check_contact_ids(found.connection, found.relations, job.campaign, [stored.rows for stored in contacts])
    if "exclusions" not in job.accepted:
        check_exclusions(job.campaign, Figures.of(found.verdicts), last.figures if last else None)


def churn(job: Job, found: Checked, last: Last | None) -> Churn | None:
    """The number of people who are new since the last file, and who have left it; None if it is unknown."""
    if last is None:
        return None
    looks = history.row_hash_query(found.relations, found.verdicts, job.campaign)
    counts = history.churn(found.connection, looks, last.contacts)
    return Churn(last.run_id, *counts) if counts else None


T = TypeVar("T")


def in_folder(job: Job, step: Callable[[Path], T]) -> T:
    """Run dbt in a temporary folder. It is removed afterwards, because dbt quotes rows in its log and results."""
    work = job.settings.work_dir / "build" / job.campaign.name
    try:
        return step(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def recheck(job: Job, order: Order, contacts: history.StoredContacts) -> None:
    """Compare the people of a frozen file with the current opt-outs. Raises Held if somebody has opted out."""
    with lock_warehouse(job.settings, f"opt-outs of {job.campaign.name}", job.tell) as warehouse:
        job.tell(f"recheck  {order.run_id} was frozen some time ago, and is compared with the current opt-outs")
        # Opt-outs of an old source are not the current ones.
        check_sources(job.campaign.inputs, warehouse, job.settings.project_dir, order.now)
        environment = order.environment(job.campaign)
        relations = in_folder(job, lambda work: build_opt_outs(job.settings, job.campaign, environment, work, job.run_dbt))
        people = f"(select {KEY}, false as {SEED} from ({history.mailed_query(contacts)}))"
        with session(warehouse) as connection:
            check_opt_outs(connection, replace(relations, extract=people), job.campaign)


def judged(job: Job, connection: duckdb.DuckDBPyConnection, relations: Build) -> Checked:
    """The relations as the provider accepts them: in its encoding, without duplicates, and by its contract."""
    relations, rewritten = transliterate(connection, relations, job.campaign, job.provider.format)
    for change in rewritten:
        replaced = f"{counted(change.count, 'character')} of {change.column} that {job.provider.format.encoding} lacks"
        job.tell(f"note     replaced {replaced}, such as {change.character} as {change.text!r}")
    verdicts = figures.check(connection, relations, job.campaign)
    relations, verdicts = apply_contract(connection, relations, verdicts, job.campaign, job.provider)
    for column, count in count_formulas(connection, relations, job.campaign):
        values = counted(count, f"value of {column} begins", f"values of {column} begin")
        job.tell(f"note     {values} with = + - or @: spreadsheets evaluate them as formulas")
    return Checked(connection, relations, verdicts)
