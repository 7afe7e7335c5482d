"""What needs a person now, worst first, each with what to type."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from dmail_runner.report.declared import Declared
from dmail_runner.report.rows import RunRow

# Worst first.
KINDS = (
    "unknown",
    "opt_out",
    "conflict",
    "held",
    "approval",
    "volume",
    "person",
    "failed",
    "missed",
    "stuck",
    "config",
    "route",
    "overdue",
    "key",
)
# States through which a run goes by itself; one that stays there was killed, or waits for somebody to start it.
PASSING = ("planned", "built", "extracted", "shipped")
PATIENCE = timedelta(days=1)  # a run under way may wait for its hour
GRACE = timedelta(hours=1)  # a slot that has just come due may be about to run
WHY = ' --reason "…"'


@dataclass(frozen=True)
class Need:
    """One thing to do: `kind` is of KINDS, or another hold's name; `text` is the ledger's or the configuration's own."""

    kind: str
    campaign: str | None
    run_id: str | None
    due: datetime | None
    text: str
    commands: tuple[str, ...]

    @property
    def rank(self) -> tuple[int, float]:
        """Where it stands in the list: the worst, then the latest first."""
        place = KINDS.index(self.kind if self.kind in KINDS else "held")
        return place, -self.due.timestamp() if self.due else 0


def needs(
    runs: Sequence[RunRow],
    declared: Mapping[str, Declared],
    keys: Iterable[Need],
    now: datetime,
    watched: Mapping[str, datetime] = MappingProxyType({}),
) -> list[Need]:
    """Everything, worst first. `runs`: all, newest first; `keys`: what was found of keys and routes; `watched`: since when."""
    newest: dict[str, RunRow] = {}
    for run in runs:
        newest.setdefault(run.campaign, run)
    of_runs = (need for run in runs if (need := of_run(run, newest[run.campaign], now)))
    of_campaigns = (
        need for one in declared.values() for need in of_campaign(one, newest.get(one.name), now, watched.get(one.name))
    )
    return sorted([*of_runs, *of_campaigns, *keys], key=lambda need: need.rank)


def of_run(run: RunRow, newest: RunRow, now: datetime) -> Need | None:
    """What a run needs, if anything."""
    kind = run.hold or "held"
    if run.state == "held":
        commands = HOLDS.get(kind, let_go)(run)
    elif run.state == "failed":
        kind, commands = "failed", (f"dmail-runner resume {run.run_id}",)
    elif run.state == "missed" and run == newest:
        kind, commands = "missed", (f"dmail-runner run {run.campaign} --slot {run.due:%Y-%m-%dT%H:%MZ}",)
    elif run.state in PASSING and run.changed < now - PATIENCE:
        kind, commands = "stuck", (f"dmail-runner resume {run.run_id}",)
    else:
        return None
    return Need(kind, run.campaign, run.run_id, run.due, run.error, commands)


def of_campaign(one: Declared, newest: RunRow | None, now: datetime, since: datetime | None) -> Iterator[Need]:
    """What a campaign's declaration needs: to be mended, or its latest slot to be run."""
    if one.fault:
        yield Need("config", one.name, None, None, one.fault, (f"dmail-runner check {one.name}",))
    last = one.last_due
    counts = last is not None and (since is None or since < last)
    if last and counts and last < now - GRACE and (newest is None or newest.due < last):
        yield Need("overdue", one.name, None, last, "", (f"dmail-runner run {one.name}",))


def let_go(run: RunRow) -> tuple[str, ...]:
    return (f"dmail-runner release {run.run_id}{WHY}", f"dmail-runner cancel {run.run_id}{WHY}")


def again(run: RunRow) -> tuple[str, ...]:
    return (f"dmail-runner resume {run.run_id}",)


def say_which(run: RunRow) -> tuple[str, ...]:
    return tuple(f"dmail-runner settle {run.run_id} {said}{WHY}" for said in ("--delivered", "--not-delivered"))


def look_and_approve(run: RunRow) -> tuple[str, ...]:
    return (f"dmail-runner approve {run.campaign} --show", f'dmail-runner approve {run.campaign} --by "…"')


HOLDS: Mapping[str, Callable[[RunRow], tuple[str, ...]]] = {
    "unknown": say_which,
    "opt_out": again,
    "conflict": again,
    "approval": look_and_approve,
}
