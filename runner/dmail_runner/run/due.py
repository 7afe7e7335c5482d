"""Carries out what is due: plans slots, runs them one after the other, and notifies people."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from dmail_runner.check.stock import HOLD as STOCK
from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Busy, ConfigError, DmailError, Held, unexpected
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.notices import Kind, Notices
from dmail_runner.inbound.errors import InboundError
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run, instant
from dmail_runner.plan.due import due_runs
from dmail_runner.plan.planner import plan
from dmail_runner.project.manifest import Manifest
from dmail_runner.run.answers import HOLD as DIFFERENCE
from dmail_runner.run.answers import difference
from dmail_runner.run.approval import HOLD, approved
from dmail_runner.run.give_up import makes_up_for_all
from dmail_runner.run.housekeeping import drop_expired
from dmail_runner.run.job import Job, LedgerAlone, by_priority, check_route, conflicts, key_findings
from dmail_runner.run.notify import Notice, Notifier
from dmail_runner.run.pipeline import carry_out
from dmail_runner.run.spool import tidy_spool
from dmail_runner.run.stock import announce_stock, counted_since

REPORT = "DMAIL_DEBUG=1 dmail-runner run --due shows the traceback, for a bug report"


@dataclass(frozen=True)
class Scheduler:
    """Carries out what is due, and notifies people.

    Attributes:
        ledger: the ledger.
        notifier: sends the notices.
        ended: called with each run that has ended.
        first_running: the campaigns that another process is running.
    """

    ledger: Ledger
    notifier: Notifier
    ended: Callable[[Run], None] = lambda _: None
    first_running: list[Campaign] = field(default_factory=list)

    def run_due(self, job: Job, now: datetime) -> list[Exception]:
        """Carry out what is due for one campaign, unless another process does so. Returns the errors that stopped runs.

        An error of one run does not stop the next one, even if it is an error of this program. A campaign waits while another
        process runs one with a greater priority, because a frequency cap could not count those contacts yet.
        """
        faults: list[Exception] = []
        if self.first_running and job.campaign.mail.priority < self.first_running[-1].mail.priority:
            job.tell(f"skip     {job.campaign.name}: it comes after {self.first_running[-1].name}, which another process runs")
            return faults
        try:
            with self.ledger.campaign_lock(job.campaign.name, f"{job.campaign.name}, what is due"):
                tidy_spool(job.settings, job.campaign.name, self.ledger)
                self.plan(job, now)
                tried: set[str] = set()
                # The end of one run can make another one due.
                while run := next((run for run in self.due(job) if run.run_id not in tried), None):
                    tried.add(run.run_id)
                    try:
                        self.carry_out(job, run)
                    except Exception as error:  # noqa: BLE001 - recorded, announced, and reported by the caller
                        faults.append(error)
                drop_expired(job.settings, job.campaign.name, self.ledger, job.provider.retention_days)
        except Busy as busy:
            self.first_running.append(job.campaign)
            job.tell(f"skip     {job.campaign.name}: {busy.what}")
        self.announce_keys(job, now)
        self.announce_difference(job)
        return faults

    def plan(self, job: Job, now: datetime) -> None:
        """Record a run for each slot, and notify people of missed ones."""
        for run in plan(job.campaign, self.ledger, now):
            if run.state == "missed":
                self.ended(run)
                todo = f"dmail-runner run {run.campaign} --slot {instant(run.slot)} runs it now"
                self.announce(job, "missed", run, f"The slot {instant(run.slot)} was missed: {run.error}.", todo)

    def due(self, job: Job) -> list[Run]:
        """The runs that are due, including those whose hold may have ended by an approval, matching reports or a new count."""
        if job.campaign.status != "active":
            return []
        waiting = [run for run in self.ledger.waiting(job.campaign.name) if run.state == "held"]
        explained = [run for run in waiting if run.hold == DIFFERENCE and self.matches(job, run)]
        counted_anew = [run for run in waiting if run.hold == STOCK and counted_since(self.ledger, run)]
        held = [run for run in waiting if run.hold == HOLD]
        try:
            if held:
                approved(job, self.ledger)
        except Held:
            held = []
        ready = [*due_runs(job.campaign, self.ledger, self.ledger.now()), *held, *explained, *counted_anew]
        # If a newer slot replaces an older one, it comes first, and the older one is cancelled.
        return sorted(ready, key=lambda run: run.slot, reverse=not makes_up_for_all(job.campaign))

    def matches(self, job: Job, run: Run) -> bool:
        """Whether the mail house's reports about the mailing before a run match what was delivered."""
        with suppress(InboundError):
            return difference(job, self.ledger, run.slot) is None
        return False

    def carry_out(self, job: Job, run: Run) -> None:
        """Carry out one run. Errors are recorded, people are notified, and the error is raised.

        Raises:
            DmailError: if the run fails or is held.
        """
        # An earlier run may have cancelled this one.
        run = self.ledger.known(run.run_id)
        if run.finished:
            return
        with self.announced(job, run.run_id):
            try:
                check_route(job, run.slot, self.ledger.now())
            except DmailError as error:
                self.ledger.fail(run, error.what)
                raise
            carry_out(job, run, self.ledger)
        self.ended(self.ledger.known(run.run_id))

    @contextmanager
    def announced(self, job: Job | LedgerAlone, run_id: str) -> Iterator[None]:
        """Notify people of the end of the run that the context carries out."""
        before = self.found(run_id)
        try:
            yield
        except Busy:
            raise
        except DmailError as error:
            run = self.found(run_id)
            kind: Kind = "held" if isinstance(error, Held) else "failed"
            if run and run.state == "failed" and run_id not in (error.todo or ""):
                again = f"dmail-runner resume {run_id} tries again"
                error.todo = f"{error.todo}; {again}" if error.todo else again
            todo = error.todo or (f"dmail-runner resume {run_id}" if run else "dmail-runner check")
            self.announce(job, kind, run, error.what, todo)
            raise
        except Exception as error:
            self.announce(job, "failed", self.failed(run_id, unexpected(error)), unexpected(error), REPORT)
            raise
        run = self.found(run_id)
        if run and run.state in ("settled", "empty") and (before is None or before.state != run.state):
            self.announce_end(job, run)

    def announce_end(self, job: Job | LedgerAlone, run: Run) -> None:
        """Notify people of a run that has settled, or has no recipients."""
        if run.state == "empty":
            notes = run.verdicts.notes if run.verdicts else ()
            what = next((note for note in notes if note.startswith("nobody is included")), "nobody is included")
            self.announce(job, "empty", run, f"{what[0].upper()}{what[1:]}.", f"dmail-runner show {run.run_id}")
            return
        files = ", ".join(entry.location or entry.part.name for entry in run.parts if not entry.part.side)
        pieces = counted(run.verdicts.included, "piece is", "pieces are") if run.verdicts else "The file is"
        self.announce(job, "delivered", run, f"{pieces} delivered: {files}.", "dmail-runner status")
        if left := self.ledger.details(run, "left_behind"):
            what = f"These names on the server could not be removed: {', '.join(dict.fromkeys(left))}."
            self.announce(job, "left_behind", run, what, "ask the mail house to remove them, and not to print them")

    def failed(self, run_id: str, error: str) -> Run | None:
        """Record an error of this program that ended a run. Returns the run after that; None if it does not exist."""
        run = self.found(run_id)
        if run and not run.finished and run.state not in ("failed", "held"):
            with suppress(LedgerError):
                self.ledger.fail(run, error)
        return self.found(run_id)

    def found(self, run_id: str) -> Run | None:
        """The run; None if there is none, or if the ledger cannot be read. People are notified all the same."""
        with suppress(LedgerError):
            return self.ledger.get(run_id)
        return None

    def announce_difference(self, job: Job) -> None:
        """Notify people if the mail house's reports about the last mailing differ from what was delivered."""
        with suppress(LedgerError, InboundError):
            if found := difference(job, self.ledger):
                run, what = found
                self.announce(
                    job, "difference", run, f"{what[:1].upper()}{what[1:]}.", "ask the mail house, and fetch its answer"
                )

    def announce_keys(self, job: Job, now: datetime) -> None:
        """Notify people once a day of keys that have expired or expire soon."""
        for finding in key_findings(job, now, now):
            what = f"{finding.problem} (on {now:%Y-%m-%d})"
            self.announce(
                job, "key_expiring", None, what, "ask the mail house for its new key; `dmail-runner check` validates it"
            )

    def announce(self, job: Job | LedgerAlone, kind: Kind, run: Run | None, what: str, todo: str) -> None:
        """Send a notice to the channels of this campaign."""
        run_id, slot = (run.run_id, run.slot) if run else (None, None)
        campaign = job.campaign.name if isinstance(job, Job) else run.campaign if run else "a removed campaign"
        owner = job.campaign.email if isinstance(job, Job) else None
        figures = None
        with suppress(LedgerError):
            figures = self.ledger.compared(run) if run else None
        self.notifier.announce(Notice(kind, campaign, what, todo, run_id, slot, owner, figures))

    @contextmanager
    def errors_announced(self, what: str) -> Iterator[None]:
        """Notify people of errors that would block mailings silently: configuration, a damaged ledger, bugs of this program."""
        try:
            with self.unexpected_announced(what):
                yield
        except (ConfigError, LedgerError) as error:
            todo = error.todo or "correct it; dmail-runner check reports every error at once"
            self.notifier.announce(Notice("failed", what, error.what, todo))
            raise

    @contextmanager
    def unexpected_announced(self, what: str) -> Iterator[None]:
        """Record an error of this program as an event `unexpected`, and notify people of it."""
        try:
            yield
        except DmailError:
            raise
        except Exception as error:
            with suppress(LedgerError), self.ledger.writing() as connection:
                self.ledger.record(connection, what, "unexpected", unexpected(error))
            self.notifier.announce(Notice("failed", what, unexpected(error), REPORT))
            raise


def open_ledger(settings: Settings, now: Callable[[], datetime], wanted: Notices, tell: Callable[[str], None]) -> Ledger:
    """Open the ledger. If that fails nothing is mailed, and people are notified. Raises DmailError."""
    try:
        return Ledger(settings, now)
    except DmailError as error:
        todo = error.todo or "dmail-runner doctor finds out why"
        notice = Notice("failed", "all campaigns", error.what, todo)
        Notifier(wanted, None, tell, settings.state_dir / "notices").announce(notice)
        raise


def run_all_due(
    settings: Settings,
    scheduler: Scheduler,
    load: Callable[[], Manifest],
    find: Callable[[Manifest, str], Job],
    attempt: Callable[[Callable[[], object]], int],
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> list[int]:
    """Carry out everything that is due, campaign by campaign, in the order of their priorities.

    Args:
        load: returns the manifest.
        find: returns the job of a campaign.
        attempt: runs a step, reports the error that stopped it, and returns its exit code.
        tell: shows a line of progress.

    Returns:
        The exit codes of all steps. An error of one campaign does not stop the next.

    Raises:
        ConfigError, LedgerError: if no campaign can be carried out.

    """
    with scheduler.errors_announced("all campaigns"):
        scheduler.ledger.check_age()
        manifest = load()
        if faults := [*manifest.orphans(), *conflicts(settings, manifest)]:
            raise ConfigError(faults)
    codes = []
    for name in by_priority(manifest, manifest.names):
        faults_of_runs: list[Exception] = []

        def run_campaign(name: str = name, faults: list[Exception] = faults_of_runs) -> None:
            with scheduler.errors_announced(name):
                faults += scheduler.run_due(find(manifest, name), scheduler.ledger.now())

        codes.append(attempt(run_campaign))
        codes += [attempt(raising(fault)) for fault in faults_of_runs]
    announce_stock(settings, manifest, scheduler.ledger, scheduler.notifier, tell)
    return codes


def raising(fault: Exception) -> Callable[[], None]:
    """A step that raises an error."""

    def step() -> None:
        raise fault

    return step
