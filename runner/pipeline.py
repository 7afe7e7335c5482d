"""The order of the steps, and what a run does when it finds that an earlier attempt came half-way."""

import getpass
import hashlib
import shutil
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from runner import history
from runner.campaign import Campaign
from runner.errors import DmailError, ExtractError, Held, Stopped
from runner.job import Job, check_route
from runner.ledger import Ledger, Run
from runner.lock import locked
from runner.make import Last, make
from runner.parts import part_path
from runner.route import SftpRoute, find_route
from runner.schedule import latest_due
from runner.settings import Settings
from runner.ship import Desk, Early, Intent, destination, ship, temporary_name
from runner.values import Part, Spooled, Verdicts

# The hold that a person has put on a run.
PERSON = "person"


def run_slot(job: Job, slot: datetime, ledger: Ledger, *, asked_for: bool = False) -> Run:
    """Bring a slot's run to its end, from wherever it stands. The run as it ended; a finished one is left as it is.

    Older slots of the campaign that were left unfinished come first. `asked_for`: a person named this slot; an empty one is then
    built again, for its profiles may have come late. Raises Held where a person must look, and DmailError where it failed; the
    ledger says so, too.
    """
    done = ledger.find(job.campaign.name, slot)
    if done and done.state == "empty" and asked_for:
        ledger.advance(done, "planned")
    elif done and done.finished:
        shutil.rmtree(spool(job, done), ignore_errors=True)
        return done
    check_route(job, slot, ledger.now())
    with locked(job.settings.state_dir / "run.lock", f"{job.campaign.name} for {slot:%Y-%m-%d %H:%M} UTC"):
        tidy_spool(job.settings, ledger)
        purge(job, ledger, spared=slot if asked_for else None)
        held = [hold for run in ledger.unfinished(job.campaign.name) if run.slot < slot and (hold := close(job, run, ledger))]
        finished = bring_to_end(job, ledger.open(job.campaign.name, slot), ledger)
    if held:
        raise held[0]
    return finished


def due_slot(campaign: Campaign, ledger: Ledger, now: datetime) -> datetime | None:
    """The slot that a run without further word means: the latest that the schedule gives, or None.

    Without a schedule it is the present minute, unless a frozen file waits to be shipped: another one beside it could mail twice.
    """
    if campaign.mail.schedule:
        return latest_due(campaign.mail.schedule, now)
    frozen = (run.slot for run in ledger.unfinished(campaign.name) if run.parts)
    return next(frozen, now.replace(second=0))


def close(job: Job, run: Run, ledger: Ledger) -> Held | None:
    """End a run that a newer slot has overtaken: shipped where the world may have seen it, else cancelled. The hold, if any."""
    if may_have_left(run):
        try:
            bring_to_end(job, run, ledger)
        except Held as hold:
            return hold
        return None
    cancel(job, run, ledger, "a newer slot came due before it was shipped")
    return None


def may_have_left(run: Run) -> bool:
    """Whether the world has a part of the run, or may have."""
    return any(entry.intended or entry.location for entry in run.parts)


def cancel(job: Job, run: Run, ledger: Ledger, reason: str) -> None:
    """Give up a run of which nothing has its final name: its temporary files, its contacts and its spool go."""
    if run.parts:
        with suppress(DmailError):
            route = find_route(job.settings, run.parts[0].part.route)
            with destination(route) as place:
                for entry in run.parts:
                    place.remove(temporary_name(entry.part, route))
    history.take_back_contacts(job.settings, run.run_id)
    ledger.cancel(run, reason)
    shutil.rmtree(spool(job, run), ignore_errors=True)
    job.tell(f"cancel   {run.run_id}: {reason}, and nothing of it had left")


def purge(job: Job, ledger: Ledger, *, spared: datetime | None = None) -> list[Run]:
    """Give up the campaign's runs to which nothing has happened for the provider's `retention_days`, but for the `spared` slot's.

    Those that may have left in part remain, for a person to look at, and are returned.
    """
    kept = []
    end = ledger.now() - timedelta(days=job.provider.retention_days)
    for run in ledger.waiting(job.campaign.name):
        if run.slot == spared or run.changed is None or run.changed > end:
            continue
        if may_have_left(run):
            kept.append(run)
        else:
            cancel(job, run, ledger, f"it waited for more than {job.provider.retention_days} days")
    return kept


def bring_to_end(job: Job, run: Run, ledger: Ledger) -> Run:
    """What `run_slot` does with one run, under the lock."""
    if not run.finished:
        if run.state == "held" and run.hold == "unknown":
            todo = f"ask the provider whether they have the file, then: dmail-runner settle {run.run_id} --delivered (or not)"
            raise Held("unknown", run.error or "", todo=todo)
        if run.state == "held" and run.hold == PERSON:
            raise Held(PERSON, f"{run.run_id} is {run.error}", todo=f"dmail-runner release {run.run_id} lets it go on")
        try:
            ahead: frozenset[str] = frozenset()
            if not spool_is_whole(job, run):
                ahead = prepare(job, run, ledger)
                run = ledger.open(run.campaign, run.slot)
            if run.parts:
                history.put_contacts(job.settings, run.run_id, spool(job, run))
                deliver_run(job, run, ledger, ahead)
        except Held as held:
            ledger.hold(run, held.hold, held.what)
            raise
        except DmailError as error:
            ledger.fail(run, error.what)
            raise
        except BaseException as error:
            ledger.fail(run, str(error) if isinstance(error, Stopped) else f"stopped by {type(error).__name__}")
            raise
    return ledger.open(run.campaign, run.slot)


def dry_run(job: Job, slot: datetime, ledger: Ledger) -> tuple[Verdicts, list[Part]]:
    """Build, check and extract as a run would, and keep nothing: the figures, and the files that would be delivered."""
    with locked(job.settings.state_dir / "run.lock", f"dry run of {job.campaign.name}"):
        return make(job, slot, f"{job.campaign.name}-dry-run", None, last_run(job, slot, ledger))


def prepare(job: Job, run: Run, ledger: Ledger) -> frozenset[str]:
    """Build, check and extract; from here on the content is frozen.

    The names of the parts that are on the server already, under their temporary names.
    """
    folder = spool(job, run)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for gate in sorted(job.accepted):
        ledger.accept(run, gate, getpass.getuser())
    last = last_run(job, run.slot, ledger)
    early = Early(job.route, job.tell) if goes_ahead(job) else None
    try:
        verdicts, parts = make(
            job, run.slot, run.run_id, folder, last,
            built=lambda: ledger.advance(run, "built"), finished=early.take if early else lambda _: None,
        )  # fmt: skip
        ledger.freeze(run, verdicts, parts, job.cost(sum(part.rows for part in parts)))
    except BaseException:
        if early:
            early.abandon()
        raise
    return early.close() if early else frozenset()


def goes_ahead(job: Job) -> bool:
    """Whether parts travel while the rest is being written: several of them, to a server that renames what is whole."""
    route = job.route
    return job.provider.split is not None and isinstance(route, SftpRoute) and route.ahead and route.finish == "rename"


def last_run(job: Job, slot: datetime, ledger: Ledger) -> Last | None:
    """The campaign's last settled run before a slot."""
    run = ledger.last_settled(job.campaign.name, slot)
    if run is None or run.verdicts is None:
        return None
    contacts = job.settings.history_dir / run.run_id / history.FILE
    return Last(run.run_id, run.slot, run.verdicts.included, contacts)


def deliver_run(job: Job, run: Run, ledger: Ledger, ahead: frozenset[str]) -> None:
    """Deliver what is not delivered yet, and settle. `ahead`: parts that are there, under their temporary names."""
    todo = [Spooled(entry.part, part_path(spool(job, run), entry.part.number)) for entry in run.parts if entry.location is None]
    if todo:
        desk = Desk(
            intent=lambda part: intent(ledger, run, part, ahead),
            delivered=lambda part, receipt: ledger.deliver(run, part, receipt),
            tell=job.tell,
            watch=job.watch,
        )
        ship(todo, find_route(job.settings, todo[0].part.route), desk)
    finish(job, run, ledger)


def finish(job: Job, run: Run, ledger: Ledger) -> Run:
    """Everything is delivered: the run is settled, and its files are not needed any more."""
    ledger.advance(run, "shipped")
    ledger.advance(run, "settled")
    shutil.rmtree(spool(job, run), ignore_errors=True)
    return ledger.open(run.campaign, run.slot)


def intent(ledger: Ledger, run: Run, part: Part, ahead: frozenset[str]) -> Intent:
    """The ledger's word on a part as it is now, for an attempt before may have declared what it was about to do."""
    return Intent(
        ledger.intended(run, part),
        ledger.owner(run, part),
        lambda: ledger.intend(run, part),
        lambda: ledger.withdraw(run, part),
        part.name in ahead,
    )


def spool(job: Job, run: Run) -> Path:
    return job.settings.spool_dir / run.run_id


def tidy_spool(settings: Settings, ledger: Ledger) -> None:
    """Do what killed runs have left undone: contacts of frozen ones into the history, files of finished ones away.

    A folder of a run that the ledger does not know stays: then it is the ledger that is wrong.
    """
    for name in ("preview", "proof"):
        shutil.rmtree(settings.work_dir / name, ignore_errors=True)
    folders = {folder.name: folder for folder in settings.spool_dir.iterdir()}
    for run in ledger.runs(folders):
        if run.finished:
            shutil.rmtree(folders[run.run_id], ignore_errors=True)
        elif run.parts:
            history.put_contacts(settings, run.run_id, folders[run.run_id])


def spool_is_whole(job: Job, run: Run) -> bool:
    """Whether the run's frozen parts lie in the spool, byte for byte, so that it goes on with them.

    Raises ExtractError where they do not, but the world may already have seen them: making others could mail twice.
    """
    if not run.parts:
        return False
    if job.seal and not may_have_left(run) and any(not e.part.side and e.part.plain_sha256 is None for e in run.parts):
        # Frozen before the route had a key, and nothing of it has left: it is made again, to be sealed.
        return False
    paths = [(entry, part_path(spool(job, run), entry.part.number)) for entry in run.parts]
    if all(entry.location or (path.is_file() and digest(path) == entry.part.sha256) for entry, path in paths):
        return True
    if may_have_left(run):
        raise ExtractError(
            f"the spool of {run.run_id} is damaged, and parts of it may have been delivered: it is not made again",
            todo=f"bring back {spool(job, run)}; or dmail-runner settle {run.run_id} says whether the provider has it",
        )
    return False


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
