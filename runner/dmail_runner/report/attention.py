"""The problems that need a person, most urgent first, with the commands that solve them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from dmail_runner.ledger.run import ACCEPTED, ASKED, REFUSED
from dmail_runner.report.declared import Declared
from dmail_runner.report.rows import RunRow

# Most urgent first.
KINDS = (
    "unknown",
    "recall",
    "opt_out",
    "ids",
    "registers",
    "vouchers",
    "conflict",
    "held",
    "approval",
    "exclusions",
    "address_services",
    "volume",
    "budget",
    "stock",
    "difference",
    "person",
    "failed",
    "removed",
    "missed",
    "stuck",
    "config",
    "route",
    "overdue",
    "key",
)
# States that a run leaves automatically. A run that stays in one was killed, or no scheduler starts it.
TRANSIENT = ("planned", "built", "extracted", "shipped")
ALONE = ("unknown", "recall")  # these commands do not need the campaign
STUCK_AFTER = timedelta(days=1)
OVERDUE_AFTER = timedelta(hours=1)  # a slot that has just come due may be about to run
REASON = ' --reason "…"'
DIFF = "diff {campaign} --slot {slot}"
RESUME = "resume {run}"
SHOW = "show {run}"
CANCEL = f"cancel {{run}}{REASON}"
CANCEL_REST = f"cancel {{run}} --rest{REASON}"
RECALL_ANSWERS = (ACCEPTED, REFUSED)
DECIDE = (f"release {{run}}{REASON}", CANCEL)
# What a person can type, by the kind of need.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "held": DECIDE,
    "volume": (DIFF, *DECIDE),
    "exclusions": (DIFF, *DECIDE),
    "address_services": (RESUME, *DECIDE),
    "budget": (SHOW, *DECIDE),
    "stock": ("stock", RESUME, *DECIDE),
    "unknown": tuple(f"settle {{run}} {answer}{REASON}" for answer in ("--delivered", "--not-delivered")),
    "recall": tuple(f"recall {{run}} --answer {answer}{REASON}" for answer in RECALL_ANSWERS),
    "opt_out": (RESUME,),
    "ids": (RESUME,),
    "registers": (RESUME,),
    "vouchers": (RESUME,),
    "conflict": (RESUME,),
    "approval": ("approve {campaign} --show", "run {campaign} --slot {slot} --dry-run", 'approve {campaign} --by "…"'),
    "failed": (RESUME,),
    "removed": (CANCEL,),
    "missed": ("run {campaign} --slot {slot}",),
    "stuck": (RESUME,),
}


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
    run_needs = (need for run in runs if (need := run_need(run, newest[run.campaign], now, removed=run.campaign not in declared)))
    campaign_needs = (
        need for one in declared.values() for need in needs_of_campaign(one, newest.get(one.name), now, watched.get(one.name))
    )
    return sorted([*run_needs, *campaign_needs, *keys], key=lambda need: need.rank)


def run_need(run: RunRow, newest: RunRow, now: datetime, *, removed: bool = False) -> Need | None:
    """The need of a run; None if it has none. `removed`: its campaign is no longer in the project."""
    if run.state == "held":
        kind = run.hold or "held"
    elif run.state == "failed" or (run.state == "missed" and run == newest):
        kind = run.state
    elif run.recall == ASKED:
        kind = "recall"
    elif run.state in TRANSIENT and run.changed < now - STUCK_AFTER:
        kind = "stuck"
    else:
        return None
    if removed and kind == "missed":
        return None
    commands = commands_for(kind, removed=removed, delivered=run.delivered > 0)
    kind = "removed" if removed and kind not in ALONE else kind
    return Need(kind, run.campaign, run.run_id, run.due, run.error, typed(commands, run.run_id, run.campaign, run.due))


def commands_for(kind: str, *, removed: bool, delivered: bool) -> tuple[str, ...]:
    """What a person can type for a run that waits.

    Args:
        kind: the kind of its need.
        removed: its campaign is no longer in the project, so that the run can only be settled or cancelled.
        delivered: the provider has a part of it.
    """
    if removed and kind not in ALONE:
        return (CANCEL_REST if delivered else CANCEL,)
    return COMMANDS.get(kind, COMMANDS["held"])


def needs_of_campaign(one: Declared, newest: RunRow | None, now: datetime, since: datetime | None) -> Iterator[Need]:
    """The needs of a campaign: its configuration is wrong, or its latest slot has not been run."""
    if one.fault:
        yield Need("config", one.name, None, None, one.fault, (f"dmail-runner check {one.name}",))
    last = one.last_due
    counts = last is not None and (since is None or since < last)
    if last and counts and last < now - OVERDUE_AFTER and (newest is None or newest.due < last):
        yield Need("overdue", one.name, None, last, "", (f"dmail-runner run {one.name}",))


def typed(commands: Sequence[str], run_id: str, campaign: str, slot: datetime) -> tuple[str, ...]:
    """Commands with the names of a run."""
    names = {"run": run_id, "campaign": campaign, "slot": f"{slot:%Y-%m-%dT%H:%MZ}"}
    return tuple(f"dmail-runner {command.format(**names)}" for command in commands)
