"""The order of the steps, and what a run does when it finds that an earlier attempt came half-way."""

import getpass
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runner import extract, gates, history
from runner.breach import contract_faults, sift
from runner.build import build
from runner.campaign import Campaign
from runner.envelope import Envelope, envelope_faults
from runner.errors import ConfigError, DmailError, ExtractError, Held, Problem, Stopped
from runner.frame import layout_faults
from runner.guard import check_opt_outs, check_volume, formulas
from runner.ledger import Ledger, LedgerPart, Run
from runner.lock import locked
from runner.parts import part_path
from runner.project import Manifest, RunDbt
from runner.provider import Provider, find_provider
from runner.route import FolderRoute, SftpRoute, find_route
from runner.schedule import latest_due
from runner.settings import Settings, find_warehouse
from runner.ship import Intent, deliver, destination, temporary_name
from runner.values import Part, Spooled, Verdicts
from runner.warehouse import session


@dataclass(frozen=True)
class Job:
    """Everything that a run of a campaign is given."""

    settings: Settings
    campaign: Campaign
    provider: Provider
    route: FolderRoute | SftpRoute
    run_dbt: RunDbt
    tell: Callable[[str], None]
    accepted: frozenset[str] = frozenset()  # the holds that a person lets this run pass


def find_job(settings: Settings, campaign: Campaign, run_dbt: RunDbt, tell: Callable[[str], None]) -> Job:
    """The job of a campaign, with its provider and its route. Raises ConfigError."""
    provider = find_provider(settings, campaign.mail.provider)
    looks = (layout_faults(campaign, provider.format), envelope_faults(campaign, provider), contract_faults(campaign, provider))
    if faults := list(dict.fromkeys(fault for look in looks for fault in look)):
        raise ConfigError(faults)
    return Job(settings, campaign, provider, find_route(settings, provider.route), run_dbt, tell)


def shared_names(settings: Settings, manifest: Manifest) -> Iterator[Problem]:
    """Two campaigns with one file name on one route: one of them could be taken for the other's."""
    owners: dict[tuple[str, str], str] = {}
    for name in manifest.names:
        try:
            campaign = manifest.campaign(name)
            place = (find_provider(settings, campaign.mail.provider).route, campaign.mail.file.name)
        except ConfigError:
            continue  # told where the campaign itself is looked at
        if campaign.mail.status == "stopped":
            continue
        if place in owners:
            yield Problem(
                campaign.file, f"exposures.{name}.config.meta.direct_mail.file.name", f"is that of {owners[place]}, too"
            )
        owners[place] = name


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
    with locked(job.settings.state_dir / "run.lock", f"{job.campaign.name} for {slot:%Y-%m-%d %H:%M} UTC"):
        tidy_spool(job.settings, ledger)
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
    if any(entry.intended or entry.location for entry in run.parts):
        try:
            bring_to_end(job, run, ledger)
        except Held as hold:
            return hold
        return None
    if run.parts:
        with suppress(DmailError), destination(find_route(job.settings, run.parts[0].part.route)) as place:
            for entry in run.parts:
                place.remove(temporary_name(entry.part))
    history.take_back_contacts(job.settings, run.run_id)
    ledger.cancel(run, "a newer slot came due before it was shipped")
    shutil.rmtree(spool(job, run), ignore_errors=True)
    job.tell(f"cancel   {run.run_id}: a newer slot is due, and nothing of it had left")
    return None


def bring_to_end(job: Job, run: Run, ledger: Ledger) -> Run:
    """What `run_slot` does with one run, under the lock."""
    if not run.finished:
        if run.state == "held" and run.hold == "unknown":
            raise Held("unknown", run.error or "", todo="ask the provider whether they have the file")
        try:
            if not spool_is_whole(job, run):
                prepare(job, run, ledger)
                run = ledger.open(run.campaign, run.slot)
            if run.parts:
                history.put_contacts(job.settings, run.run_id, spool(job, run))
                ship(job, run, ledger)
                shutil.rmtree(spool(job, run), ignore_errors=True)
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
        return make(job, slot, f"{job.campaign.name}-dry-run", None, ledger)


def prepare(job: Job, run: Run, ledger: Ledger) -> None:
    """Build, check and extract; from here on the content is frozen."""
    folder = spool(job, run)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for gate in sorted(job.accepted):
        ledger.accept(run, gate, getpass.getuser())
    verdicts, parts = make(job, run.slot, run.run_id, folder, ledger, built=lambda: ledger.advance(run, "built"))
    ledger.freeze(run, verdicts, parts, cost(job.provider, parts))


def make(
    job: Job, slot: datetime, run_id: str, folder: Path | None, ledger: Ledger, *, built: Callable[[], None] = lambda: None
) -> tuple[Verdicts, list[Part]]:
    """Build, check and extract into `folder` (or into nothing); no file where nobody is included, if the provider wants none."""
    campaign, warehouse = job.campaign, find_warehouse(job.settings)
    work = job.settings.work_dir / "build" / run_id
    # What a killed run has left there holds personal data, too.
    shutil.rmtree(work.parent, ignore_errors=True)
    shutil.rmtree(warehouse.spill, ignore_errors=True)
    job.settings.prepare()
    try:
        warehouse.path.parent.mkdir(parents=True, exist_ok=True)
        job.tell(f"build    {campaign.name} for {slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
        relations = build(job.settings, campaign, slot, work, job.run_dbt)
    finally:
        # dbt's log and results quote rows where a model fails.
        shutil.rmtree(work, ignore_errors=True)
    built()
    with session(warehouse) as connection:
        job.tell("check    targeted = included + excluded, one row per included profile")
        verdicts = gates.check(connection, relations, campaign)
        relations, verdicts = sift(connection, relations, verdicts, campaign, job.provider)
        check_opt_outs(connection, relations, campaign)
        if "volume" not in job.accepted:
            check_volume(campaign, verdicts, ledger.last_included(campaign.name, slot))
        if verdicts.included == 0 and job.provider.empty == "no_file":
            return verdicts, []
        envelope = Envelope(campaign, job.provider, slot, run_id)
        for column, count in formulas(connection, relations, campaign):
            job.tell(f"note     {count:,} values of {column} begin with = + - or @, which a spreadsheet takes for a formula")
        job.tell(f"extract  {verdicts.included:,} rows into {envelope.base_name()}")
        contents = extract.extract(connection, relations, verdicts, envelope, folder)
        if folder:
            history.write_contacts(connection, relations, verdicts, history.Contacts(campaign, slot, run_id, folder))
    parts = [
        Part(number, envelope.part_name(number), content.rows, content.bytes, content.sha256, job.provider.route)
        for number, content in enumerate(contents, start=1)
    ]
    return verdicts, [*parts, *side_parts(envelope, parts, folder)]


def cost(provider: Provider, parts: list[Part]) -> str | None:
    """What the provider's tariff says of the parts."""
    if provider.tariff is None:
        return None
    return f"{provider.tariff.cost(sum(part.rows for part in parts)):,} {provider.tariff.currency}"


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


def ship(job: Job, run: Run, ledger: Ledger) -> None:
    """Deliver what is not delivered yet, and settle."""
    todo = [part for part in run.parts if part.location is None]
    if todo:
        with destination(find_route(job.settings, todo[0].part.route)) as place:
            for entry in todo:
                job.tell(f"ship     {entry.part.bytes:,} bytes to {place.location(entry.part.name)}")
                spooled = Spooled(entry.part, part_path(spool(job, run), entry.part.number))
                receipt = deliver(spooled, place, intent(ledger, run, entry))
                ledger.deliver(run, entry.part, receipt)
    ledger.advance(run, "shipped")
    ledger.advance(run, "settled")


def intent(ledger: Ledger, run: Run, entry: LedgerPart) -> Intent:
    return Intent(
        entry.intended,
        ledger.owner(run, entry.part),
        lambda: ledger.intend(run, entry.part),
        lambda: ledger.withdraw(run, entry.part),
    )


def spool(job: Job, run: Run) -> Path:
    return job.settings.spool_dir / run.run_id


def tidy_spool(settings: Settings, ledger: Ledger) -> None:
    """Do what killed runs have left undone: contacts of frozen ones into the history, files of finished ones away.

    A folder of a run that the ledger does not know stays: then it is the ledger that is wrong.
    """
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
    paths = [(entry, part_path(spool(job, run), entry.part.number)) for entry in run.parts]
    if all(entry.location or (path.is_file() and digest(path) == entry.part.sha256) for entry, path in paths):
        return True
    if any(entry.intended or entry.location for entry in run.parts):
        raise ExtractError(
            f"the spool of {run.run_id} is damaged, and parts of it may have been delivered: it is not made again",
            todo=f"bring back {spool(job, run)}",
        )
    return False


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
