"""What a person decides about a run: to hold it, let it go on, give it up, or what became of a file that nobody can find."""

from dataclasses import dataclass, replace

from dmail_runner.core.errors import UsageError
from dmail_runner.core.values import Receipt
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, Run
from dmail_runner.run.give_up import cancel
from dmail_runner.run.job import Job, check_route
from dmail_runner.run.pipeline import PERSON, UNKNOWN, carry_out, finish, resume_run
from dmail_runner.ship.refused import try_again

# The gates that a person may overrule; nobody overrules an opt-out.
OVERRULED = ("volume",)


@dataclass(frozen=True)
class Decision:
    """Who decided, and why; the ledger keeps both."""

    by: str
    reason: str

    def __str__(self) -> str:
        return f"by {self.by}: {self.reason}"


def resume(job: Job, run: Run, ledger: Ledger) -> Run:
    """Bring a run to its end from where it stands; its gates look again, and a refused login is tried again."""
    try_again(job.route)
    return resume_run(job, run, ledger)


def hold(run: Run, ledger: Ledger, decision: Decision) -> None:
    """Let nothing more happen to a run until it is released. Raises UsageError for one that is finished."""
    with ledger.turn(run.campaign, f"hold of {run.run_id}"):
        run = ledger.named(run.run_id)
        if run.finished:
            raise UsageError(f"{run.run_id} is {run.state}: there is nothing left to hold")
        ledger.hold(run, PERSON, f"held {decision}")


def release(job: Job, run: Run, ledger: Ledger, decision: Decision) -> Run:
    """Let a held run go on, and past the gate that held it. Raises UsageError where that is not a person's to say."""
    check_route(job, run.slot, ledger.now())
    with ledger.turn(run.campaign, f"release of {run.run_id}"):
        run = ledger.named(run.run_id)
        if run.state != "held":
            raise UsageError(f"{run.run_id} is {run.state}, not held")
        if run.hold == UNKNOWN:
            raise UsageError(f"{run.run_id}: nobody knows whether its file was taken", todo="dmail-runner settle says which")
        if run.hold == "opt_out":
            raise UsageError(f"{run.run_id} would mail people who have opted out", todo="mend the rules; `resume` looks again")
        ledger.note(run, "released", f"{run.hold} {decision}")
        if run.hold == PERSON:
            ledger.advance(run, "extracted" if run.parts else "planned")
        accepted = job.accepted | ({run.hold} if run.hold in OVERRULED else frozenset())
        return carry_out(replace(job, accepted=accepted), ledger.known(run.run_id), ledger, asked_for=True)


def give_up(job: Job, run: Run, ledger: Ledger, decision: Decision, *, rest: bool) -> None:
    """Cancel a run of which nothing has left. Raises UsageError for any other.

    `rest`: of one that was delivered in part, give up the parts that have not left; who is in it counts as mailed.
    """
    with ledger.turn(run.campaign, f"cancel of {run.run_id}"):
        run = ledger.named(run.run_id)
        if run.finished:
            raise UsageError(f"{run.run_id} is {run.state} already")
        doubtful = any(entry.intended and entry.location is None for entry in run.parts)
        if doubtful or (run.may_have_left and not rest):
            raise UsageError(
                f"{run.run_id}: some of it was delivered, or may have been",
                todo="`resume` brings the rest, `cancel --rest` gives it up; `settle` tells of a file that nobody finds",
            )
        if run.may_have_left:
            ledger.note(run, "rest_given_up", str(decision))
            finish(job, run, ledger)
        else:
            cancel(job, run, ledger, f"cancelled {decision}")


def resend(job: Job, run: Run, ledger: Ledger, decision: Decision) -> Run:
    """Mail a slot a second time, on purpose: built anew, under another name. Raises UsageError where the first may still come."""
    original = ledger.known(run.copy_of) if run.copy_of else run
    if run.state != "settled" and not (run.state == "held" and run.hold == UNKNOWN):
        raise UsageError(
            f"{run.run_id} is {run.state}: only what was mailed can be mailed again", todo="`resume` brings a run to its end"
        )
    check_route(job, run.slot, ledger.now())
    with ledger.turn(run.campaign, f"resend of {original.run_id}"):
        number = ledger.copies(original) + 1
        planned = Planned(
            f"{original.run_id}-r{number}", original.campaign, original.slot, wave=original.wave, first=original.first,
            copy_of=original.run_id, window_start=original.window_start,
        )  # fmt: skip
        ledger.note(original, "resent", f"as {planned.run_id} {decision}")
        return carry_out(job, ledger.open(planned), ledger, asked_for=True)


def settle(job: Job, run: Run, ledger: Ledger, decision: Decision, *, delivered: bool) -> Run:
    """Say whether the provider has the parts of which nobody knows; what is then still missing is delivered.

    Raises UsageError where every part's fate is known.
    """
    with ledger.turn(run.campaign, f"settle of {run.run_id}"):
        run = ledger.named(run.run_id)
        doubtful = [entry.part for entry in run.parts if entry.intended and entry.location is None]
        if run.hold == UNKNOWN and not run.parts:
            return settle_unseen(job, run, ledger, decision, delivered=delivered)
        if run.finished or not doubtful:
            raise UsageError(f"{run.run_id} is {run.state}: it has no part of which nobody knows whether it was taken")
        ledger.note(run, "told", f"{'delivered' if delivered else 'not delivered'} {decision}")
        for part in doubtful:
            if delivered:
                ledger.deliver(run, part, Receipt(f"{part.name} (told by {decision.by})", part.bytes, part.sha256, adopted=True))
            else:
                ledger.withdraw(run, part)
        ledger.advance(run, "extracted")
        run = ledger.named(run.run_id)
        if all(entry.location for entry in run.parts):
            return finish(job, run, ledger)
    return resume_run(job, run, ledger)


def settle_unseen(job: Job, run: Run, ledger: Ledger, decision: Decision, *, delivered: bool) -> Run:
    """The same for a run of which a reconciled ledger knows nothing but that there was one."""
    ledger.note(run, "told", f"{'delivered' if delivered else 'not delivered'} {decision}")
    if delivered:
        ledger.advance(run, "settled")
    else:
        cancel(job, run, ledger, f"not delivered {decision}")
    return ledger.known(run.run_id)
