"""The content of a run's page."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from dmail_runner.core.values import Comparison, Limit
from dmail_runner.plan.waves import Wait
from dmail_runner.report.attention import Need, run_need
from dmail_runner.report.declared import Declared
from dmail_runner.report.figures import (
    Figures,
    Stage,
    Step,
    compared_funnel,
    duration,
    figures_of,
    figures_of_verdicts,
    funnel,
    timeline,
)
from dmail_runner.report.rows import Approval, Details, RunRow
from dmail_runner.report.verdicts import Decision, Gate, decisions, gates
from dmail_runner.report.waves import waits


@dataclass(frozen=True)
class Neighbours:
    """The other runs of a campaign that a run's page shows.

    Attributes:
        last: the last settled run before it; None if there is none.
        last_paged: whether that run has a page.
        older: the run_id of the previous run with a page; None if there is none.
        newer: the run_id of the next one; None if there is none.
        wait: what the run waits for, if it is a planned later wave; None for any other run.
    """

    last: RunRow | None = None
    last_paged: bool = False
    older: str | None = None
    newer: str | None = None
    wait: Wait | None = None


NOBODY = Neighbours()


@dataclass(frozen=True)
class RunView:
    """A run's page.

    Attributes:
        run: the run.
        label: the campaign's label.
        zone: the time zone of its slots.
        figures: its figures; None until it is frozen.
        stages: the bars of the funnel.
        details: its events, files and regions.
        steps: its events with the times between them.
        duration: the time from the first event to the last.
        gates: the verdicts of the gates.
        decisions: the decisions of people.
        need: the problem that needs a person; None if there is none.
        approval: the approval that it was made with; None if there is none.
        original_paged: whether the run that it sends again has a page.
        last: the run_id of the last settled run, which it is compared with; None if there is none.
        last_paged: whether that run has a page.
        limits: the limits that it has crossed; with each, whether it is the smallest number that is allowed.
        unfrozen: whether its figures are those of what was built when a gate held it.
        older: the run_id of the campaign's previous run with a page; None if there is none.
        newer: the run_id of the next one; None if there is none.
        last_stages: the bars of the last settled run, if it waits for a person and nothing was built.
        wait: what it waits for, if it is a planned later wave; None for any other run.
        statuses: the number of its pieces by their last known status, the greatest first; empty if nothing is known.
    """

    run: RunRow
    label: str
    zone: str
    figures: Figures | None
    stages: tuple[Stage, ...]
    details: Details
    steps: tuple[Step, ...]
    duration: timedelta
    gates: tuple[Gate, ...]
    decisions: tuple[Decision, ...]
    need: Need | None
    approval: Approval | None = None
    original_paged: bool = True
    last: str | None = None
    last_paged: bool = False
    limits: tuple[tuple[Limit, bool], ...] = ()
    unfrozen: bool = False
    older: str | None = None
    newer: str | None = None
    last_stages: tuple[Stage, ...] = ()
    wait: Wait | None = None
    statuses: tuple[tuple[str, int], ...] = ()

    @property
    def begun(self) -> bool:
        """Whether anything has happened to the run but that it was planned."""
        return len(self.steps) > 1 or self.run.state not in ("planned", "missed")


def run_view(
    run: RunRow,
    declared: Declared | None,
    details: Details,
    approvals: Sequence[Approval] = (),
    *,
    original_paged: bool = True,
    beside: Neighbours = NOBODY,
) -> RunView:
    """A run's page.

    Args:
        run: the run.
        declared: the declaration of its campaign; None if only the ledger has the campaign.
        details: its details.
        approvals: the approvals of its campaign, newest first.
        original_paged: whether the run that it sends again has a page.
        beside: the campaign's other runs.
    """
    held = run.held_figures
    found, last = compared_figures(run, beside.last)
    return RunView(
        run=run,
        label=declared.label if declared else run.campaign,
        zone=declared.zone if declared else "UTC",
        figures=found,
        stages=tuple(compared_funnel(found, last, held)) if found else (),
        last_stages=tuple(funnel(last)) if last and not found and run.state in ("held", "failed") else (),
        details=details,
        steps=tuple(timeline(details)),
        duration=duration(details),
        gates=tuple(gates(run, details, contractual=bool(declared and declared.contractual))),
        decisions=tuple(decisions(details)),
        need=run_need(run, run, run.changed, removed=declared is None) if run.state in ("held", "failed") else None,
        approval=next((one for one in approvals if one.at <= run.frozen), None) if run.frozen else None,
        original_paged=original_paged,
        last=held.last if held else beside.last.run_id if beside.last else None,
        last_paged=beside.last_paged,
        limits=tuple(crossed_limits(held)) if held else (),
        unfrozen=held is not None,
        older=beside.older,
        newer=beside.newer,
        wait=beside.wait,
    )


def with_statuses(view: RunView, statuses: Mapping[str, int] | None) -> RunView:
    """The page with the number of pieces by their last known status; None if nothing is known."""
    return replace(view, statuses=tuple(sorted((statuses or {}).items(), key=lambda item: (-item[1], item[0]))))


def crossed_limits(held: Comparison) -> Iterator[tuple[Limit, bool]]:
    """The limits that a run has crossed; with each, whether it is the smallest number that is allowed."""
    for limit in held.limits:
        found = held.verdicts
        figure = found.excluded.get(limit.reason, 0) if found and limit.reason else limit.value
        figure = found.included if found and limit.figure == "included" else figure
        yield limit, figure < limit.value


def compared_figures(run: RunRow, last: RunRow | None) -> tuple[Figures | None, Figures | None]:
    """The figures of a run, and those of the last settled run. The record of a hold has both."""
    if held := run.held_figures:
        built, before = held.verdicts, held.before
        return figures_of_verdicts(built) if built else None, figures_of_verdicts(before) if before else None
    return figures_of(run), figures_of(last) if last else None


def neighbours(runs: Sequence[RunRow], paged: Container[str], apart: timedelta = timedelta()) -> dict[str, Neighbours]:
    """The neighbours of each run of a campaign.

    Args:
        runs: all of them, newest first.
        paged: the ids of the runs with a page.
        apart: the shortest time between waves.
    """
    waiting = waits(runs, apart)
    found: dict[str, Neighbours] = {}
    settled: dict[int | None, RunRow] = {}
    older: str | None = None
    for run in reversed(runs):
        last = settled.get(run.wave)
        found[run.run_id] = Neighbours(last, bool(last and last.run_id in paged), older, wait=waiting.get(run.run_id))
        if run.state == "settled":
            settled[run.wave] = run
        if run.run_id in paged:
            if older:
                found[older] = replace(found[older], newer=run.run_id)
            older = run.run_id
    return found
