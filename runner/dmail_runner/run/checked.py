"""Builds a campaign's models, and applies every gate to them."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TypeVar

import duckdb

from dmail_runner import history
from dmail_runner.check import figures
from dmail_runner.check.address_services import check_address_services
from dmail_runner.check.as_printed import as_printed
from dmail_runner.check.baseline import count_baseline
from dmail_runner.check.contract import apply_contract
from dmail_runner.check.exclusions import Figures, check_contact_ids, check_exclusions, check_near_matches
from dmail_runner.check.formulas import count_formulas
from dmail_runner.check.opt_outs import check_opt_outs, keep_profiles
from dmail_runner.check.registers import check_registers
from dmail_runner.check.sources import LOAD_AGAIN, check_sources
from dmail_runner.check.transliterate import transliterate
from dmail_runner.check.unusual import seed_note, verdict_notes
from dmail_runner.check.volume import check_volume
from dmail_runner.check.vouchers import check_vouchers
from dmail_runner.core.counted import counted
from dmail_runner.core.errors import ExtractError, Held, SourceError
from dmail_runner.core.values import Build, Churn, Comparison, Verdicts
from dmail_runner.declare.campaign import KEY, SEED
from dmail_runner.extract.rows import people_query
from dmail_runner.history.vouchers import given_vouchers
from dmail_runner.project.build import build, build_opt_outs
from dmail_runner.project.source_hash import source_hash
from dmail_runner.project.warehouse import lock_warehouse, quote, session
from dmail_runner.run.job import Job, is_recorded
from dmail_runner.run.order import Last, Order, timestamp
from dmail_runner.run.supplies import supplies, supply_holds

NOTHING = ": nothing was delivered"  # the end of a hold's text
ACCEPTABLE = ("exclusions", "address_services", "volume", "budget", "stock")  # the gates that a person may let a run pass
RECENT = 5  # the number of runs of the contact history whose ids are compared with the file's


@dataclass(frozen=True)
class Checked:
    """Relations that have passed the gates, and the session that can read them."""

    connection: duckdb.DuckDBPyConnection
    relations: Build
    verdicts: Verdicts


def stop_at(hold: Held) -> None:
    """Stop at the first gate that holds a run."""
    raise hold


@contextmanager
def checked(
    job: Job, order: Order, *, built: Callable[[Build], None] = lambda _: None, held: Callable[[Held], None] = stop_at
) -> Iterator[Checked]:
    """Build a campaign's models and apply the gates. The warehouse is locked within the context.

    Args:
        job: the campaign's job.
        order: the order of the run.
        built: called when dbt has built the models.
        held: called with the hold of each gate that would hold the run. A review shows it, and continues.

    Raises:
        SourceError: if a source is too old or incomplete.
        BuildError, ExtractError: if a step fails.
        Held: if a gate holds the run.
    """
    purpose = f"{job.campaign.name} for {timestamp(order.slot)}"
    with lock_warehouse(job.settings, purpose, job.tell) as warehouse:
        read = hashes_of_sources(job)
        sources = check_sources(job.campaign.inputs, warehouse, job.settings.project_dir, order.now)
        for source in sources:
            if source.warning:
                job.tell(f"warning  {source.warning}")
        job.tell(f"build    {job.campaign.name} for {order.slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
        relations = in_folder(
            job, lambda work: build(job.settings, job.campaign, order.environment(job.campaign), work, job.run_dbt, tell=job.tell)
        )
        built(relations)
        with session(warehouse) as connection:
            job.tell("check    targeted = included + excluded, one row per included profile")
            found = judged(job, connection, relations)
            if order.original:
                check_original(job, found, order.original)
            found = replace(found, verdicts=replace(found.verdicts, sources=sources))
            found = gated(job, found, order, held)
            check_unchanged(job, read)
            yield found


def hashes_of_sources(job: Job) -> dict[str, str]:
    """A hash of each source that the campaign reads, by name. That of a source without local files is `unknown`."""
    origins = job.campaign.origins.items()
    return {name: source_hash(job.settings, place) for name, place in origins if not is_recorded(job.settings, name, place)}


def check_unchanged(job: Job, before: Mapping[str, str]) -> None:
    """Check that no file of a source was written since. The models and the gates could have read different rows.

    Raises:
        SourceError: if one was.
    """
    now = hashes_of_sources(job)
    if changed := [name for name in before if now[name] != before[name]]:
        were = "was" if len(changed) == 1 else "were"
        raise SourceError(f"{' and '.join(changed)} {were} written during the run: nothing was delivered", todo=LOAD_AGAIN)


def gated(job: Job, found: Checked, order: Order, held: Callable[[Held], None]) -> Checked:
    """Apply the gates that hold a run, and call `held` with each hold. Raises Held with the figures of what was built."""
    passed: list[Held] = []
    last = order.last
    holds = {gate: passed.append if gate in job.accepted else held for gate in ACCEPTABLE}
    try:
        found = replace(found, relations=keep_profiles(found.connection, found.relations))
        with noted(held):
            check_opt_outs(found.connection, found.relations, job.campaign)
        with noted(held):
            found = with_registers(job, found)
        with noted(held):
            found = with_vouchers(job, found, order)
        baseline = count_baseline(found.connection, found.relations)
        found = replace(found, verdicts=replace(found.verdicts, baseline=baseline))
        check_against_last(job, found, last, held, holds["exclusions"])
        found = replace(found, verdicts=replace(found.verdicts, churn=churn(job, found, last)))
        with noted(holds["address_services"]):
            check_address_services(found.connection, found.relations, found.verdicts, job.campaign, job.policy)
        with noted(holds["volume"]):
            check_volume(job.campaign, job.provider, found.verdicts, last.included if last else None)
        supplied = supplies(job, found.connection, found.relations, found.verdicts)
        found = replace(found, verdicts=supplied.verdicts)
        for hold in supply_holds(job, supplied, order.others, order.slot, order.now):
            holds[hold.hold](hold)
    except Held as hold:
        hold.figures = Comparison(found.verdicts, last.run_id if last else None, last.verdicts if last else None, hold.limits)
        raise
    return replace(found, verdicts=with_passed(found.verdicts, passed))


def with_registers(job: Job, found: Checked) -> Checked:
    """Check the registers of the countries in the file, and note what does not hold the run. Raises Held."""
    notes = check_registers(found.connection, found.relations, found.verdicts, job.campaign, job.policy)
    for note in notes:
        job.tell(f"warning  {note}")
    return replace(found, verdicts=replace(found.verdicts, notes=(*found.verdicts.notes, *notes)))


def with_vouchers(job: Job, found: Checked, order: Order) -> Checked:
    """Check the voucher codes, and note how many are left. Raises Held."""
    if job.campaign.vouchers is None:
        return found
    given = given_vouchers(job.settings)
    pools = check_vouchers(
        found.connection, found.relations, found.verdicts, job.campaign, slot=timestamp(order.slot), given=f"({given})"
    )
    for pool in pools:
        job.tell(f"note     {pool}")
    return replace(found, verdicts=replace(found.verdicts, notes=(*found.verdicts.notes, *map(str, pools))))


def with_passed(verdicts: Verdicts, passed: list[Held]) -> Verdicts:
    """The figures, with a note for each gate that a person lets the run pass."""
    notes = (f"somebody let it pass the gate {hold.hold}: {hold.what.removesuffix(NOTHING)}" for hold in passed)
    return replace(verdicts, notes=(*verdicts.notes, *notes))


@contextmanager
def noted(held: Callable[[Held], None]) -> Iterator[None]:
    """Pass on the hold of a gate."""
    try:
        yield
    except Held as hold:
        held(hold)


def check_original(job: Job, found: Checked, original: history.StoredContacts) -> None:
    """Check that a copy is sent to nobody who is not in the original's file. Raises ExtractError."""
    rows, key = people_query(found.relations, found.verdicts, job.campaign), quote(KEY)
    query = f"select count(*) from ({rows}) as copy anti join ({history.mailed_query(original)}) as original using ({key})"
    (others,) = found.connection.execute(query).fetchone() or (0,)
    if others:
        raise ExtractError(
            f"the copy has {counted(others, 'person', 'people')} who were not in the original file: nothing was delivered",
            todo="use the macros `targeted()` and `recipients()` of the present version of the dbt package, which select the "
            "people of the original",
        )


def check_against_last(
    job: Job, found: Checked, last: Last | None, held: Callable[[Held], None], unlike: Callable[[Held], None]
) -> None:
    """Check the suppression lists, the ids, and the exclusions against those of the last run.

    `held` is called with the hold of the gate `ids`, and `unlike` with that of the gate `exclusions`.
    """
    for entry in found.verdicts.baseline.lists if found.verdicts.baseline else ():
        job.tell(f"list     {entry}")
    with noted(held):
        check_near_matches(job.campaign, found.verdicts.baseline)
    contacts = [last.contacts] if last and last.contacts else []
    contacts += history.recent_contacts(job.settings, RECENT)
    with noted(held):
        check_contact_ids(found.connection, found.relations, job.campaign, [stored.rows for stored in contacts])
    with noted(unlike):
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
    relations = as_printed(connection, relations, job.campaign, job.provider.format)
    notes: list[str] = []
    relations, rewritten = transliterate(connection, relations, job.campaign, job.provider.format)
    for change in rewritten:
        replaced = f"{counted(change.count, 'character')} of {change.column} that {job.provider.format.encoding} lacks"
        notes.append(f"replaced {replaced}, such as {change.character} as {change.text!r}")
    counts = figures.check(connection, relations, job.campaign)
    relations, verdicts = apply_contract(connection, relations, counts, job.campaign, job.provider)
    notes += [*seed_note(counts, verdicts), *verdict_notes(connection, relations, verdicts, job.campaign)]
    for column, count in count_formulas(connection, relations, job.campaign):
        values = counted(count, f"value of {column} begins", f"values of {column} begin")
        notes.append(f"{values} with = + - or @: spreadsheets evaluate them as formulas")
    for note in notes:
        job.tell(f"note     {note}")
    return Checked(connection, relations, replace(verdicts, notes=tuple(notes)))
