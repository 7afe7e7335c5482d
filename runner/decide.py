"""What a person decides about a run: to hold it, let it go on, give it up, or what became of a file that nobody can find."""

from dataclasses import dataclass, replace

from runner.errors import UsageError
from runner.job import Job
from runner.ledger import Ledger, Run
from runner.lock import locked
from runner.pipeline import PERSON, cancel, finish, may_have_left, run_slot
from runner.values import Receipt

# The gates that a person may overrule; nobody overrules an opt-out.
OVERRULED = ("volume",)


@dataclass(frozen=True)
class Decision:
    """Who decided, and why; the ledger keeps both."""

    by: str
    reason: str

    def __str__(self) -> str:
        return f"by {self.by}: {self.reason}"


def find(ledger: Ledger, run_id: str) -> Run:
    """A run by its id. Raises UsageError."""
    found = ledger.runs([run_id])
    if not found:
        raise UsageError(f"there is no run {run_id!r}", todo="dmail-runner status --json tells the ids")
    return found[0]


def resume(job: Job, run: Run, ledger: Ledger) -> Run:
    """Bring a run to its end from where it stands; its gates look again."""
    return run_slot(job, run.slot, ledger, asked_for=True)


def hold(job: Job, run: Run, ledger: Ledger, decision: Decision) -> None:
    """Let nothing more happen to a run until it is released. Raises UsageError for one that is finished."""
    with locked(job.settings.state_dir / "run.lock", f"hold of {run.run_id}"):
        run = find(ledger, run.run_id)
        if run.finished:
            raise UsageError(f"{run.run_id} is {run.state}: there is nothing left to hold")
        ledger.hold(run, PERSON, f"held {decision}")


def release(job: Job, run: Run, ledger: Ledger, decision: Decision) -> Run:
    """Let a held run go on, and past the gate that held it. Raises UsageError where that is not a person's to say."""
    if run.state != "held":
        raise UsageError(f"{run.run_id} is {run.state}, not held")
    if run.hold == "unknown":
        raise UsageError(f"{run.run_id}: nobody knows whether its file was taken", todo="dmail-runner settle says which")
    if run.hold == "opt_out":
        raise UsageError(f"{run.run_id} would mail people who have opted out", todo="mend the rules; `resume` looks again")
    ledger.note(run, "released", f"{run.hold} {decision}")
    if run.hold == PERSON:
        ledger.advance(run, "extracted" if run.parts else "planned")
    accepted = job.accepted | ({run.hold} if run.hold in OVERRULED else frozenset())
    return run_slot(replace(job, accepted=accepted), run.slot, ledger, asked_for=True)


def give_up(job: Job, run: Run, ledger: Ledger, decision: Decision) -> None:
    """Cancel a run of which nothing has left. Raises UsageError for any other."""
    with locked(job.settings.state_dir / "run.lock", f"cancel of {run.run_id}"):
        run = find(ledger, run.run_id)
        if run.finished:
            raise UsageError(f"{run.run_id} is {run.state} already")
        if may_have_left(run):
            raise UsageError(
                f"{run.run_id}: some of it was delivered, or may have been",
                todo="`resume` brings the rest; `settle` says what became of a file that nobody can find",
            )
        cancel(job, run, ledger, f"cancelled {decision}")


def settle(job: Job, run: Run, ledger: Ledger, decision: Decision, *, delivered: bool) -> Run:
    """Say whether the provider has the parts of which nobody knows; what is then still missing is delivered.

    Raises UsageError where every part's fate is known.
    """
    with locked(job.settings.state_dir / "run.lock", f"settle of {run.run_id}"):
        run = find(ledger, run.run_id)
        doubtful = [entry.part for entry in run.parts if entry.intended and entry.location is None]
        if run.finished or not doubtful:
            raise UsageError(f"{run.run_id} is {run.state}: it has no part of which nobody knows whether it was taken")
        ledger.note(run, "told", f"{'delivered' if delivered else 'not delivered'} {decision}")
        for part in doubtful:
            if delivered:
                ledger.deliver(run, part, Receipt(f"{part.name} (told by {decision.by})", part.bytes, part.sha256, adopted=True))
            else:
                ledger.withdraw(run, part)
        ledger.advance(run, "extracted")
        run = find(ledger, run.run_id)
        if all(entry.location for entry in run.parts):
            return finish(job, run, ledger)
    return run_slot(job, run.slot, ledger, asked_for=True)
