"""The content of a run's page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from dmail_runner.report.attention import Need, run_need
from dmail_runner.report.declared import Declared
from dmail_runner.report.figures import Figures, Stage, Step, duration, figures_of, funnel, timeline
from dmail_runner.report.rows import Approval, Details, RunRow
from dmail_runner.report.verdicts import Decision, Gate, decisions, gates


@dataclass(frozen=True)
class RunView:
    """A run's page.

    Attributes:
        run: the run.
        label: the campaign's label.
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
    """

    run: RunRow
    label: str
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


def run_view(
    run: RunRow, declared: Declared | None, details: Details, approvals: Sequence[Approval] = (), *, original_paged: bool = True
) -> RunView:
    """A run's page.

    Args:
        run: the run.
        declared: the declaration of its campaign; None if only the ledger has the campaign.
        details: its details.
        approvals: the approvals of its campaign, newest first.
        original_paged: whether the run that it sends again has a page.
    """
    found = figures_of(run)
    return RunView(
        run=run,
        label=declared.label if declared else run.campaign,
        figures=found,
        stages=tuple(funnel(found)) if found else (),
        details=details,
        steps=tuple(timeline(details)),
        duration=duration(details),
        gates=tuple(gates(run, details, contractual=bool(declared and declared.contractual))),
        decisions=tuple(decisions(details)),
        need=run_need(run, run, run.changed) if run.state in ("held", "failed") else None,
        approval=next((one for one in approvals if one.at <= run.frozen), None) if run.frozen else None,
        original_paged=original_paged,
    )
