"""The steps of a run in order, and how a run continues after an earlier attempt was stopped."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from dmail_runner import history
from dmail_runner.core.account import this_account
from dmail_runner.core.errors import ConfigError, DmailError, Held, Stopped, unexpected
from dmail_runner.core.money import cost_text
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Build, Part, Spooled, Verdicts
from dmail_runner.declare.route import AnyRoute, SftpRoute, find_route
from dmail_runner.extract.parts import part_path
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.intents import Intents
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.made import Made, last_event
from dmail_runner.ledger.run import Run
from dmail_runner.plan.planner import find_run, open_slot
from dmail_runner.run.answers import check_answers
from dmail_runner.run.approval import approved, confirm_built
from dmail_runner.run.checked import recheck
from dmail_runner.run.file import make
from dmail_runner.run.give_up import UNKNOWN, cancel, overtaken, replaced_by, take_back, way_out
from dmail_runner.run.housekeeping import check_contacts, check_history, purge
from dmail_runner.run.inputs import inputs_of, runs_in_history
from dmail_runner.run.job import Job, check_active, check_route
from dmail_runner.run.order import order, trial_order
from dmail_runner.run.reserve import MADE_AGAIN, reserve
from dmail_runner.run.spool import damaged, spool, spool_is_complete, tidy_spool
from dmail_runner.ship import AheadUploader, DeliveryCallbacks, ship

PERSON = "person"  # the hold of a person, which only a person can release


def run_slot(job: Job, slot: datetime, ledger: Ledger, *, asked_for: bool = False) -> Run:
    """Start or continue the run of a slot. A finished run is returned unchanged.

    Args:
        job: the campaign's job.
        slot: the slot.
        ledger: the ledger, which also records failures and holds.
        asked_for: True if a person has named the slot. A missed or empty slot is then built, because profiles may arrive late.

    Returns:
        The run as it ended.

    Raises:
        Held: if a person must decide.
        DmailError: if the run failed.
    """
    done = find_run(job.campaign, slot, ledger)
    if done and is_done(done, asked_for=asked_for):
        shutil.rmtree(spool(job.settings, done), ignore_errors=True)
        return done
    check_route(job, slot, ledger.now())
    with ledger.campaign_lock(job.campaign.name, f"{job.campaign.name} for {slot:%Y-%m-%d %H:%M} UTC"):
        return carry_out(job, open_slot(job.campaign, slot, ledger), ledger, asked_for=asked_for)


def resume_run(job: Job, run: Run, ledger: Ledger) -> Run:
    """Continue a run of any kind, as `run_slot` does."""
    if is_done(run, asked_for=True):
        shutil.rmtree(spool(job.settings, run), ignore_errors=True)
        return run
    check_route(job, run.slot, ledger.now())
    with ledger.campaign_lock(job.campaign.name, run.run_id):
        return carry_out(job, ledger.known(run.run_id), ledger, asked_for=True)


def is_done(run: Run, *, asked_for: bool) -> bool:
    """Whether a run is finished. A missed or empty run is not, if a person asks for it."""
    return run.finished and not (asked_for and run.state in ("empty", "missed"))


def carry_out(job: Job, run: Run, ledger: Ledger, *, asked_for: bool = False) -> Run:
    """Start or continue a run. It first ends older unfinished runs that it replaces. The caller holds the campaign's lock."""
    check_active(job)
    ledger.check()
    check_history(job, ledger)
    history.count_files(job.settings, ledger)
    if is_done(run, asked_for=asked_for):
        return run
    if run.finished:
        ledger.planned_again(run)
    tidy_spool(job.settings, job.campaign.name, ledger)
    purge(job, ledger, spared=run.run_id if asked_for else None)
    held = [hold for older in overtaken(job.campaign, run, ledger) if (hold := close(job, older, run, ledger))]
    finished = bring_to_end(job, ledger.known(run.run_id), ledger, asked_for=asked_for)
    if held:
        raise held[0]
    return finished


def close(job: Job, run: Run, newer: Run, ledger: Ledger) -> Held | None:
    """End a run that a newer one replaces: cancel it if nothing has left, or complete it. Returns the hold, if any."""
    try:
        if not run.delivered:
            with suppress(Held):
                cancel(job.settings, run, ledger, replaced_by(job.campaign, newer), job.tell)
                return None
        bring_to_end(job, run, ledger)
    except Held as hold:
        return hold
    return None


def bring_to_end(job: Job, run: Run, ledger: Ledger, *, asked_for: bool = False) -> Run:
    """Carry out the steps of one run. If it is held as unknown, the server is asked again only if a person requests that."""
    job.begun(run.run_id)
    if run.finished:
        return run
    if run.state == "held" and run.hold == UNKNOWN and not (asked_for and run.parts):
        raise Held(UNKNOWN, run.error or "", todo=ask_provider(run))
    if run.state == "held" and run.hold == PERSON:
        raise Held(PERSON, f"{run.run_id} is {run.error}", todo=f"dmail-runner release {run.run_id} --reason ... continues it")
    try:
        check_contacts(job, ledger, copy=bool(run.copy_of))
        ahead = content(job, run, ledger)
        run = ledger.known(run.run_id)
        history.publish_contacts(job.settings, ledger, run.run_id, spool(job.settings, run))
        reserve(job, run, ledger)
        if run.parts:
            deliver_run(job, run, ledger, ahead)
    except Held as held:
        held.name_run(run.run_id, run.slot)
        ledger.hold(run, held.hold, held.what, held.figures)
        if held.hold == UNKNOWN:
            raise Held(UNKNOWN, held.what, todo=ask_provider(run)) from None
        raise
    except DmailError as error:
        record_failure(ledger, run, error.what)
        raise
    except Stopped as stopped:
        record_failure(ledger, run, str(stopped))
        raise
    except BaseException as error:
        record_failure(ledger, run, unexpected(error))
        raise
    return ledger.known(run.run_id)


def record_failure(ledger: Ledger, run: Run, error: str) -> None:
    """Record what ended a run. If the ledger cannot be written, the caller still raises what ended it, such as a signal."""
    with suppress(LedgerError):
        ledger.fail(run, error)


def ask_provider(run: Run) -> str:
    """The advice for a run if it is unknown whether the provider has its file."""
    return (
        "it counts as mailed, and is not sent again automatically: ask the provider whether they have the file, then: "
        f"dmail-runner settle {run.run_id} --delivered (or --not-delivered, which sends it again) --reason ...; "
        f"dmail-runner resume {run.run_id} checks the server again"
    )


def content(job: Job, run: Run, ledger: Ledger) -> dict[int, Intents]:
    """Freeze the run. Existing files in the spool are used if they are complete and nobody in them has opted out since.

    Returns:
        The records of the parts that were sent before the freeze, by number.
    """
    if spool_is_complete(job, run):
        try:
            check_age(job, run, ledger)
            reserve(job, run, ledger)
        except Held as hold:
            if run.delivered or (job.campaign.mail.recheck.then == "hold" and hold.hold not in MADE_AGAIN):
                raise
            reason = MADE_AGAIN.get(hold.hold, "people in it have opted out since it was frozen")
            job.tell(f"rebuild  {run.run_id}: {reason}")
        else:
            return {}
    elif run.delivered:
        raise damaged(job.settings, run)
    make_anew(job, run, ledger)
    approved(job, ledger)
    return prepare(job, run, ledger)


def make_anew(job: Job, run: Run, ledger: Ledger) -> None:
    """Ensure that earlier content of the run cannot be mailed besides the new one. Raises the errors of `take_back`."""
    try:
        take_back(job.settings, run, ledger)
    except Held as hold:
        raise damaged(job.settings, run) if run.parts and not spool_is_complete(job, run) else hold from None


def check_age(job: Job, run: Run, ledger: Ledger) -> None:
    """If a file was frozen long ago, compare it with the current opt-outs. Raises Held."""
    mail = job.campaign.mail
    # If the clock was set back since, the age is not known.
    if mail.purpose != "marketing" or run.frozen is None or timedelta() <= ledger.now() - run.frozen < mail.recheck.after:
        return
    waiting = spool(job.settings, run) / history.FILE
    contacts = history.find_contacts(job.settings, run.run_id) or (history.StoredContacts(waiting) if waiting.exists() else None)
    if contacts is None:
        raise Held("opt_out", f"{run.run_id}: the people in its file are no longer known, so opt-outs cannot be checked")
    recheck(job, replace(order(job, run, ledger), as_of=ledger.now()), contacts)


def dry_run(job: Job, slot: datetime, ledger: Ledger) -> tuple[Verdicts, list[Part]]:
    """Build, check and extract, and delete the files. Returns the figures, and the files that a run would deliver."""
    check_contacts(job, ledger)
    return make(job, trial_order(job, slot, ledger, "dry-run"), None)


def prepare(job: Job, run: Run, ledger: Ledger) -> dict[int, Intents]:
    """Build, check, extract and freeze. Returns the records of the parts that were sent before the freeze, by number."""
    folder = spool(job.settings, run)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for gate in sorted(job.accepted):
        ledger.accept(run, gate, str(this_account()))
    check_answers(job, run, ledger)
    task, after, runs = order(job, run, ledger), last_event(ledger), runs_in_history(job.settings, run.run_id)
    if task.window_start and task.window_start != run.window_start:
        ledger.set_window(run, task.window_start)
    uploader = AheadUploader(job.route, lambda part: ledger.intents(run, part), job.tell) if goes_ahead(job) else None

    def freeze(verdicts: Verdicts, parts: list[Part]) -> None:
        made = Made(after, task.as_of, job.campaign.mail.provider, inputs_of(job, runs))
        ledger.freeze(run, verdicts, parts, cost_text(verdicts.estimate), made.as_text())
        history.publish_contacts(job.settings, ledger, run.run_id, folder)

    def built(relations: Build) -> None:
        confirm_built(job, ledger, relations)
        ledger.advance(run, "built")

    finished = uploader.take if uploader else lambda _: None
    try:
        make(job, task, folder, built=built, finished=finished, done=freeze)
    except BaseException:
        if uploader:
            uploader.abandon()
            with suppress(DmailError):
                take_back(job.settings, ledger.known(run.run_id), ledger)
        raise
    return uploader.close() if uploader else {}


def goes_ahead(job: Job) -> bool:
    """Whether parts are sent while the next ones are written. Only SFTP routes with `finish: rename` do that."""
    route = job.route
    return job.provider.split is not None and isinstance(route, SftpRoute) and route.ahead and route.finish == "rename"


def deliver_run(job: Job, run: Run, ledger: Ledger, ahead: Mapping[int, Intents]) -> None:
    """Deliver the missing parts, and settle. `ahead`: the records of the parts that were sent before the freeze, by number."""
    folder = spool(job.settings, run)
    todo = [Spooled(entry.part, part_path(folder, entry.part.number)) for entry in run.parts if entry.location is None]
    if todo:
        check_renamed(run, ledger)
        callbacks = DeliveryCallbacks(
            intents=lambda part: ahead.get(part.number) or ledger.intents(run, part),
            delivered=lambda part, receipt: ledger.deliver(run, part, receipt),
            tell=job.tell,
            watch=job.watch,
        )
        ship(todo, route_of(job.settings, run, todo[0].part.route), callbacks)
    finish(job.settings, run, ledger)


def route_of(settings: Settings, run: Run, name: str) -> AnyRoute:
    """The route that a run was frozen for, which may differ from the provider's present one. Raises ConfigError."""
    try:
        return find_route(settings, name)
    except ConfigError as error:
        error.todo = "; ".join(filter(None, (error.todo, "the run's files were made for this route", way_out(run, error))))
        raise


def check_renamed(run: Run, ledger: Ledger) -> None:
    """Raises Held if another campaign has delivered a file of this name for this slot, perhaps this one before its renaming."""
    for entry in run.parts:
        if not entry.part.side and not run.may_have_left and (other := ledger.of_another_campaign(run, entry.part)):
            raise Held(
                "conflict",
                f"{entry.part.name} was delivered for this slot already, by {other.run_id} of the campaign {other.campaign}; "
                "nothing was delivered",
                todo=f"if {run.campaign} was called {other.campaign} before: dmail-runner cancel {run.run_id} --reason renamed; "
                "if not, give it another `file.name`",
            )


def finish(settings: Settings, run: Run, ledger: Ledger) -> Run:
    """Settle a run whose parts are all delivered, and remove its files."""
    ledger.advance(run, "shipped")
    ledger.advance(run, "settled")
    shutil.rmtree(spool(settings, run), ignore_errors=True)
    return ledger.known(run.run_id)
