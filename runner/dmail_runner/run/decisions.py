"""Decisions of people about runs: resume, hold, release, cancel, resend, settle."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from dmail_runner.check.registers import HOLD as REGISTERS
from dmail_runner.check.vouchers import HOLD as VOUCHERS
from dmail_runner.core.errors import DmailError, Held, UsageError
from dmail_runner.core.values import Receipt
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.recorded import released_before
from dmail_runner.ledger.run import ASKED, Planned, Run
from dmail_runner.plan.waves import wave_wait
from dmail_runner.run.due import Scheduler
from dmail_runner.run.give_up import UNKNOWN, cancel, say_not_delivered, take_back, way_out
from dmail_runner.run.job import Job, LedgerAlone, check_active, check_route
from dmail_runner.run.order import people_of_original
from dmail_runner.run.pipeline import PERSON, carry_out, finish, resume_run
from dmail_runner.ship.refused import try_again

# The gates that a person may overrule. Opt-outs, and ids that may belong to people on a list, are not among them.
OVERRULED = ("volume", "exclusions", "difference", "budget", "stock", "address_services")
# The gates that nobody may overrule: what the run would do, and what to do first.
NEVER = {
    "opt_out": ("would mail people who have opted out", "correct the rules"),
    "ids": ("may mail people who have opted out", "correct the ids, or declare `guard: {near_matches: tell}`"),
    REGISTERS: ("may mail people who are in a register", "load the register, or declare `exempt_from` with the reason"),
    VOUCHERS: (
        "has too few voucher codes, or codes that other pieces have", "add codes to the pool or correct the extract",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Decision:
    """The person who decided, and the reason. The ledger records both."""

    by: str
    reason: str

    def __str__(self) -> str:
        return f"by {self.by}: {self.reason}"


def announced(scheduler: Scheduler, job: Job | LedgerAlone, run_id: str, step: Callable[[], Run | None]) -> Run | None:
    """Carry out a decision, and notify people of how its run ends. Only the person who decides hears of wrong use.

    Args:
        scheduler: notifies people.
        job: the job, or what can be done without one.
        run_id: the run that the decision continues or starts.
        step: carries out the decision.
    """
    with scheduler.announced(job, run_id):
        try:
            return step()
        except UsageError as error:
            refused = error
    raise refused


def resume(alone: Job | LedgerAlone, run: Run, ledger: Ledger) -> Run:
    """Continue a run. Its gates are applied again, and a refused login is tried again."""
    job = in_project(alone, lambda error: way_out(run, error))
    check_active(job)
    try_again(job.route)
    return resume_run(job, run, ledger)


def hold(run: Run, ledger: Ledger, decision: Decision) -> None:
    """Hold a run until it is released. Raises UsageError if it is finished, or held as unknown."""
    with ledger.campaign_lock(run.campaign, f"hold of {run.run_id}"):
        run = ledger.named(run.run_id)
        if run.finished:
            raise UsageError(f"{run.run_id} is {run.state}, and can no longer be held")
        if run.state == "held" and run.hold == UNKNOWN:
            raise UsageError(
                f"{run.run_id} is held already, as unknown", todo="record with dmail-runner settle whether it was delivered"
            )
        ledger.hold(run, PERSON, f"held {decision}", run.held_figures)


def release(job: Job | LedgerAlone, run: Run, ledger: Ledger, decision: Decision) -> Run:
    """Let a held run pass the gate that held it, and continue it. Raises UsageError if a person must not release it.

    If the project has no job for its campaign, it is released in the ledger and does not continue. A wave that a person has held
    before its time waits for it again.
    """
    if isinstance(job, Job):
        check_active(job)
        check_route(job, run.slot, ledger.now())
    with ledger.campaign_lock(run.campaign, f"release of {run.run_id}"):
        run = ledger.named(run.run_id)
        if run.state != "held":
            raise UsageError(f"{run.run_id} is {run.state}, not held")
        if run.hold == UNKNOWN:
            raise UsageError(
                f"{run.run_id}: it is unknown whether its file was delivered", todo="record the answer with dmail-runner settle"
            )
        if run.hold in NEVER:
            what, todo = NEVER[run.hold]
            raise UsageError(f"{run.run_id} {what}", todo=f"{todo}, then `resume` it")
        hold = run.hold
        ledger.note(run, "released", f"{hold} {decision}")
        if hold == PERSON or isinstance(job, LedgerAlone):
            ledger.advance(run, "extracted" if run.parts else "planned")
        run = ledger.known(run.run_id)
        if isinstance(job, LedgerAlone) or (run.state == "planned" and must_wait(job, run, ledger)):
            return run
        accepted = job.accepted | {gate for gate in released_before(ledger, run.run_id) | {hold} if gate in OVERRULED}
        return carry_out(replace(job, accepted=accepted), run, ledger, asked_for=True)


def must_wait(job: Job, run: Run, ledger: Ledger) -> bool:
    """Whether a run is a later wave whose time has not come. Says until when it waits."""
    wait = wave_wait(job.campaign, run, ledger)
    if wait is None or (wait.state is None and wait.until <= ledger.now()):
        return False
    job.tell(f"note     {run.run_id} waits until {wait.until:%Y-%m-%d %H:%M} UTC: {wait.why}")
    return True


def give_up(job: Job | LedgerAlone, run: Run, ledger: Ledger, decision: Decision, *, rest: bool) -> None:
    """Cancel a run of which nothing was delivered. Raises UsageError for other runs.

    `rest`: for a run that was delivered in part, give up the other parts. All its people count as mailed.
    """
    with ledger.campaign_lock(run.campaign, f"cancel of {run.run_id}"):
        run = ledger.named(run.run_id)
        if run.finished:
            raise UsageError(f"{run.run_id} is {run.state} already")
        if run.delivered and not rest:
            raise UsageError(
                f"{run.run_id}: some of it was delivered",
                todo=f"dmail-runner cancel {run.run_id} --rest --reason ... gives up the rest; `resume` delivers it",
            )
        if run.state == "held" and run.hold == UNKNOWN and not run.parts and not run.ahead:
            raise UsageError(
                f"{run.run_id}: it is unknown whether it was mailed", todo="record the answer with dmail-runner settle"
            )
        try:
            if run.delivered:
                take_back(job.settings, run, ledger)
                ledger.note(run, "rest_given_up", str(decision))
                finish(job.settings, run, ledger)
            else:
                cancel(job.settings, run, ledger, f"cancelled {decision}", job.tell)
        except Held as hold:
            raise UsageError(hold.what, todo=hold.todo) from None


def resend(alone: Job | LedgerAlone, run: Run, ledger: Ledger, decision: Decision) -> Run:
    """Mail the people of a run again on purpose, except those who have opted out since, in a file with another name.

    Raises:
        UsageError: if the run was not mailed yet, or if the contact history no longer has its people.
    """
    job = in_project(alone, lambda _: "a copy is built anew, for which the campaign must be in the project, without errors")
    check_active(job)
    original = ledger.known(run.copy_of) if run.copy_of else run
    if run.state != "settled" and not (run.state == "held" and run.hold == UNKNOWN):
        raise UsageError(
            f"{run.run_id} is {run.state}: only what was mailed can be mailed again", todo="`resume` continues a run"
        )
    if run.recall == ASKED:
        raise UsageError(
            f"{run.run_id}: a recall of its file is asked, and not answered; with a copy, people could be mailed twice",
            todo=f"dmail-runner recall {run.run_id} --answer accepted (or refused) --reason ... records the answer",
        )
    check_route(job, run.slot, ledger.now())
    with ledger.campaign_lock(run.campaign, f"resend of {original.run_id}"):
        copies = ledger.copies(original)
        if waiting := next((copy for copy in copies if not copy.finished and copy.run_id != run.run_id), None):
            raise UsageError(
                f"{original.run_id} is being sent again already, as {waiting.run_id}, which is {waiting.state}",
                todo=f"dmail-runner resume {waiting.run_id} continues it, cancel gives it up",
            )
        ledger.check()
        people_of_original(job.settings, original.run_id)
        planned = Planned(
            copy_name(original, ledger), original.campaign, original.slot, wave=original.wave, first=original.first,
            copy_of=original.run_id, window_start=original.window_start,
        )  # fmt: skip
        ledger.note(original, "resent", f"as {planned.run_id} {decision}")
        return carry_out(job, ledger.open(planned), ledger, asked_for=True)


def copy_name(run: Run, ledger: Ledger) -> str:
    """The run_id of the next copy of a run."""
    original = ledger.known(run.copy_of) if run.copy_of else run
    return f"{original.run_id}-r{len(ledger.copies(original)) + 1}"


def settle(job: Job | LedgerAlone, run: Run, ledger: Ledger, decision: Decision, *, delivered: bool) -> Run:
    """Record whether the provider has the doubtful parts of a run, and deliver the missing parts.

    If the campaign is not in the project or not active, the run does not continue. Raises UsageError if the run has no doubtful
    part.
    """
    with ledger.campaign_lock(run.campaign, f"settle of {run.run_id}"):
        run = ledger.named(run.run_id)
        unseen = run.hold == UNKNOWN and not run.doubtful
        if run.finished or not (run.doubtful or unseen):
            raise UsageError(f"{run.run_id} is {run.state}, and has no part of which the delivery is unknown")
        # "told" is the kind of the event in existing ledgers: a person has answered whether the provider has the parts.
        ledger.note(run, "told", f"{'delivered' if delivered else 'not delivered'} {decision}")
        if not run.parts and (delivered or unseen):
            return settle_unseen(job, run, ledger, decision, delivered=delivered)
        if delivered:
            say_delivered(run, ledger, decision)
        else:
            say_not_delivered(run, ledger)
        ledger.advance(run, "extracted" if run.parts else "planned")
        run = ledger.named(run.run_id)
        if run.parts and all(entry.location for entry in run.parts):
            return finish(job.settings, run, ledger)
    if isinstance(job, LedgerAlone):
        return run
    if job.campaign.status != "active":
        job.tell(f"note     {run.run_id} is not continued: the campaign is {job.campaign.status}")
        return run
    return resume_run(job, run, ledger)


def say_delivered(run: Run, ledger: Ledger, decision: Decision) -> None:
    """Record a person's answer that the provider has the doubtful parts."""
    for entry in run.parts:
        if entry.doubtful:
            location = f"{entry.part.name} (according to {decision.by})"
            ledger.deliver(run, entry.part, Receipt(location, entry.part.bytes, entry.part.sha256, adopted=True, proof="told"))


def settle_unseen(job: Job | LedgerAlone, run: Run, ledger: Ledger, decision: Decision, *, delivered: bool) -> Run:
    """Settle or cancel a run that has no parts in the ledger, because it was not frozen, or an older ledger was accepted."""
    if delivered:
        ledger.advance(run, "settled")
    else:
        cancel(job.settings, run, ledger, f"not delivered {decision}", job.tell)
    return ledger.known(run.run_id)


def in_project(job: Job | LedgerAlone, todo: Callable[[DmailError], str | None]) -> Job:
    """The job. Raises the error that explains why there is none. `todo`: returns the advice that is added to it."""
    if isinstance(job, LedgerAlone):
        error = job.error or UsageError("the campaign is not in the project")
        error.todo = "; ".join(filter(None, (error.todo, todo(error))))
        raise error
    return job
