"""The problems that need a person, most urgent first, with the commands that solve them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from dmail_runner.report.declared import Declared
from dmail_runner.report.rows import RunRow

# Most urgent first.
KINDS = (
    "unknown",
    "opt_out",
    "ids",
    "conflict",
    "held",
    "approval",
    "exclusions",
    "volume",
    "difference",
    "person",
    "failed",
    "missed",
    "stuck",
    "config",
    "route",
    "overdue",
    "key",
)
# States that a run leaves automatically. A run that stays in one was killed, or no scheduler starts it.
TRANSIENT = ("planned", "built", "extracted", "shipped")
STUCK_AFTER = timedelta(days=1)
OVERDUE_AFTER = timedelta(hours=1)  # a slot that has just come due may be about to run
REASON = ' --reason "…"'


@dataclass(frozen=True)
class Need:
    """Something that needs a person.

    Attributes:
        kind: one of KINDS, or the name of another hold.
        campaign: the campaign; None if there is none.
        run_id: the run; None if there is none.
        due: the slot in UTC; None if there is none.
        text: the message of the ledger or of the configuration.
        commands: the commands that a person can use.
    """

    kind: str
    campaign: str | None
    run_id: str | None
    due: datetime | None
    text: str
    commands: tuple[str, ...]

    @property
    def rank(self) -> tuple[int, float]:
        """The sort key: the most urgent kind first, then the latest slot."""
        urgency = KINDS.index(self.kind if self.kind in KINDS else "held")
        return urgency, -self.due.timestamp() if self.due else 0


def needs(
    runs: Sequence[RunRow],
    declared: Mapping[str, Declared],
    keys: Iterable[Need],
    now: datetime,
    watched: Mapping[str, datetime] = MappingProxyType({}),
) -> list[Need]:
    """Everything that needs a person, most urgent first.

    Args:
        runs: all runs, newest first.
        declared: the declarations, by campaign.
        keys: the needs of routes and keys.
        now: the present time.
        watched: when a scheduler first saw the present schedule, by campaign.
    """
    newest: dict[str, RunRow] = {}
    for run in runs:
        newest.setdefault(run.campaign, run)
    run_needs = (need for run in runs if (need := run_need(run, newest[run.campaign], now)))
    campaign_needs = (
        need for one in declared.values() for need in needs_of_campaign(one, newest.get(one.name), now, watched.get(one.name))
    )
    return sorted([*run_needs, *campaign_needs, *keys], key=lambda need: need.rank)


def run_need(run: RunRow, newest: RunRow, now: datetime) -> Need | None:
    """The need of a run; None if it has none."""
    kind = run.hold or "held"
    if run.state == "held":
        commands = HOLDS.get(kind, release_or_cancel)(run)
    elif run.state == "failed":
        kind, commands = "failed", (f"dmail-runner resume {run.run_id}",)
    elif run.state == "missed" and run == newest:
        kind, commands = "missed", (f"dmail-runner run {run.campaign} --slot {run.due:%Y-%m-%dT%H:%MZ}",)
    elif run.state in TRANSIENT and run.changed < now - STUCK_AFTER:
        kind, commands = "stuck", (f"dmail-runner resume {run.run_id}",)
    else:
        return None
    return Need(kind, run.campaign, run.run_id, run.due, run.error, commands)


def needs_of_campaign(one: Declared, newest: RunRow | None, now: datetime, since: datetime | None) -> Iterator[Need]:
    """The needs of a campaign: its configuration is wrong, or its latest slot has not been run."""
    if one.fault:
        yield Need("config", one.name, None, None, one.fault, (f"dmail-runner check {one.name}",))
    last = one.last_due
    counts = last is not None and (since is None or since < last)
    if last and counts and last < now - OVERDUE_AFTER and (newest is None or newest.due < last):
        yield Need("overdue", one.name, None, last, "", (f"dmail-runner run {one.name}",))


def release_or_cancel(run: RunRow) -> tuple[str, ...]:
    return (f"dmail-runner release {run.run_id}{REASON}", f"dmail-runner cancel {run.run_id}{REASON}")


def resume(run: RunRow) -> tuple[str, ...]:
    return (f"dmail-runner resume {run.run_id}",)


def settle(run: RunRow) -> tuple[str, ...]:
    return tuple(f"dmail-runner settle {run.run_id} {answer}{REASON}" for answer in ("--delivered", "--not-delivered"))


def approve(run: RunRow) -> tuple[str, ...]:
    return (f"dmail-runner approve {run.campaign} --show", f'dmail-runner approve {run.campaign} --by "…"')


HOLDS: Mapping[str, Callable[[RunRow], tuple[str, ...]]] = {
    "unknown": settle,
    "opt_out": resume,
    "ids": resume,
    "conflict": resume,
    "approval": approve,
}
