"""Results as lines of text for people, and as JSON for programs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from dmail_runner.core.cells import padded
from dmail_runner.core.cells import width as cells_of
from dmail_runner.core.counted import counted
from dmail_runner.core.values import Comparison, Part, RegionCount, Verdicts
from dmail_runner.ledger.run import ASKED, Run, instant, run_as_json, spoken, verdicts_as_json
from dmail_runner.run.comparison import comparison_lines

if TYPE_CHECKING:
    from dmail_runner.ledger.approvals import Approval
    from dmail_runner.look.calendar import Entry
    from dmail_runner.look.check import CheckResult
    from dmail_runner.look.diff import Difference
    from dmail_runner.look.explain import Explanation
    from dmail_runner.plan.waves import Wait
    from dmail_runner.report.rows import Event
    from dmail_runner.run.approval import Case
    from dmail_runner.run.requested import DryRun

MAX_REGIONS = 12
LONGEST_RULE = 40  # characters of a rule beside the column of results; a longer rule pushes only its own result away


def figures(verdicts: Verdicts) -> Iterator[str]:
    """The figures from targeted to included."""
    width = max(len(f"{verdicts.targeted:,}"), 7)
    wide = max(20, *(cells_of(visible(reason)) + 1 for reason in verdicts.excluded), 0)
    yield f"  {'targeted':<{wide + 2}}{verdicts.targeted:>{width},}"
    yield f"  {'excluded':<{wide + 2}}{sum(verdicts.excluded.values()):>{width},}"
    for reason, count in verdicts.excluded.items():
        yield f"    {padded(visible(reason), wide)}{count:>{width},}"
    yield f"  {'included':<{wide + 2}}{verdicts.included:>{width},}"
    if verdicts.seeds:
        yield f"  {'seeds':<{wide + 2}}{verdicts.seeds:>{width},}"
    yield from remarks(verdicts)


def remarks(verdicts: Verdicts) -> Iterator[str]:
    """What the figures do not say: the lists of opt-outs, the sources, and what is unusual."""
    for entry in verdicts.baseline.lists if verdicts.baseline else ():
        yield f"  list      {visible(str(entry))}"
    for source in verdicts.sources:
        if source.warning:
            yield f"  warning   {visible(source.warning)}"
        elif source.rows is not None:
            yield f"  source    {visible(str(source))}"
    for note in verdicts.notes:
        yield f"  note      {visible(note)}"


def file_lines(part: Part, location: str | None) -> Iterator[str]:
    """One file."""
    yield f"  file      {location or f'{part.name} (route {part.route})'}"
    yield f"            {counted(part.rows, 'row')}, {counted(part.bytes, 'byte')}"
    yield f"  sha256    {part.sha256}"
    if part.plain_sha256:
        yield f"  decrypted {part.plain_sha256}, {counted(part.plain_bytes or 0, 'byte')}"
    if part.inner_sha256:
        yield f"  unpacked  {part.inner_sha256}, {counted(part.inner_bytes or 0, 'byte')}"


def run_json(run: Run, mailed: date | None) -> dict[str, Any]:
    """One run, with the day on which it was mailed, if the mail house has reported it."""
    return {**run_as_json(run), **({"mailed_on": f"{mailed:%Y-%m-%d}"} if mailed else {})}


def run_lines(run: Run, mailed: date | None = None, compared: Comparison | None = None) -> Iterator[str]:
    """One run.

    Args:
        run: the run.
        mailed: the day on which it was mailed, if the mail house has reported it.
        compared: its figures beside those of the last settled run, if it waits for a person.
    """
    yield f"{run.campaign}  slot {moment(run.slot)}  {spoken(run.state)}" + (f": {run.hold}  ({run.run_id})" if run.hold else "")
    if mailed:
        yield f"  mailed    {mailed:%Y-%m-%d}"
    if run.recall:
        yield f"  recall    {run.recall}"
    yield from run_figures(run, compared or run.held_figures)
    if run.cost:
        yield f"  cost      about {run.cost}"
    for entry in run.parts:
        if entry.part.side:
            yield f"  side file {entry.location or entry.part.name}"
        else:
            yield from file_lines(entry.part, entry.location)
    if run.error:
        label = "held" if run.state == "held" else "error"
        yield f"  {label:<10}" + "\n            ".join(run.error.splitlines())


def run_figures(run: Run, compared: Comparison | None) -> Iterator[str]:
    """The figures of a run, beside those of the last settled run if there are both."""
    if compared and (compared.before or run.held_figures or not run.verdicts):
        yield from comparison_lines(compared)
        yield from remarks(run.verdicts) if run.verdicts and not run.held_figures else ()
    elif run.verdicts:
        yield from figures(run.verdicts)


def dry_run_lines(campaign: str, found: "DryRun") -> Iterator[str]:
    """The figures and files of a dry run."""
    yield f"{campaign}  slot {moment(found.slot)}  dry run: nothing was delivered or recorded"
    yield from figures(found.verdicts)
    for part in found.parts:
        if not part.side:
            yield from file_lines(part, None)
    if found.cost:
        yield f"  cost      about {found.cost}"


def dry_run_json(campaign: str, found: "DryRun") -> dict[str, Any]:
    """The figures and files of a dry run. The files are not encrypted."""
    slot, cost = instant(found.slot), found.cost
    name = "plain_sha256" if found.encrypted else "sha256"
    parts = [{"name": p.name, "rows": p.rows, "bytes": p.bytes, name: p.sha256} for p in found.parts if not p.side]
    return {"campaign": campaign, "slot": slot, "dry_run": True, **verdicts_as_json(found.verdicts), "cost": cost, "parts": parts}


def hold_lines(holds: Iterable[str]) -> Iterator[str]:
    """The gates that would hold a run."""
    for hold in holds:
        yield f"  held by   {visible(hold)}"


def explanation_lines(found: "Explanation", slot: datetime) -> Iterator[str]:
    """The results of the rules for one profile, and its row."""
    excluded = "not targeted" if found.reason == "not_targeted" else f"excluded: {visible(found.reason or '')}"
    yield f"{visible(found.profile_id)}  slot {moment(slot)}  {excluded if found.reason else 'included'}"
    rules = [visible(opinion.rule) for opinion in found.opinions]
    wide = max([18, *(size for rule in rules if (size := cells_of(rule)) <= LONGEST_RULE)])
    for rule, opinion in zip(rules, found.opinions, strict=True):
        result = {True: "out", False: "in", None: "-"}[opinion.out]
        yield f"  {padded(rule, wide)}  {result:<5}{visible(opinion.looked_at or '')}".rstrip()
    if found.row:
        yield "  as it would be printed" if found.reason else "  as it is printed"
        width = max(map(cells_of, found.row))
        for label, text in found.row.items():
            yield f"    {padded(label, width)}  {visible(text)}".rstrip()


def record_lines(labels: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Rows as a table. If it is wider than `width` characters, each row is a list of its fields."""
    lines = [[visible(cell) for cell in row] for row in (labels, *rows)]
    widths = [max(map(cells_of, column)) for column in zip(*lines, strict=True)]
    if sum(widths) + 2 * len(widths) <= width:
        for line in lines if rows else ():
            yield "  ".join(padded(cell, size) for cell, size in zip(line, widths, strict=True)).rstrip()
        return
    margin = max(map(cells_of, labels))
    for number, line in enumerate(lines[1:], start=1):
        yield f"row {number}"
        yield from (f"  {padded(label, margin)}  {cell}".rstrip() for label, cell in zip(labels, line, strict=True))


def visible(text: str) -> str:
    """Text on one line. Characters that a terminal would act upon are escaped."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def difference_lines(campaign: str, slot: datetime, found: "Difference") -> Iterator[str]:
    """The difference from the last file."""
    yield f"{campaign}  slot {moment(slot)} against {moment(found.last.slot)}, {counted(found.last.included, 'piece')}"
    yield f"  {'added':<22}{found.added:>10,}"
    yield f"  {'removed':<22}{sum(found.removed.values()):>10,}"
    for reason, count in found.removed.items():
        yield f"    {visible(reason):<20}{count:>10,}"
    changed = "unknown: the last run recorded no hashes of its rows" if found.changed is None else f"{found.changed:>10,}"
    yield f"  {'changed':<22}{changed}"
    yield f"  {'unchanged':<22}{found.unchanged:>10,}"
    yield from hold_lines(found.holds)
    for profile, what, reason in found.people:
        yield f"{visible(profile)}  {what}  {visible(reason)}".rstrip()


def difference_json(found: "Difference") -> dict[str, object]:
    """The difference from the last file."""
    return {
        "last_run": found.last.run_id,
        "last_included": found.last.included,
        "added": found.added,
        "removed": dict(found.removed),
        "changed": found.changed,
        "unchanged": found.unchanged,
        "held": list(found.holds),
        "people": [{"profile_id": profile, "what": what, "reason": reason or None} for profile, what, reason in found.people],
    }


def event_lines(regions: Sequence[RegionCount], events: Sequence["Event"]) -> Iterator[str]:
    """The regions that a run's pieces go to, largest first, and the run's events with their times in UTC."""
    if regions:
        yield "  goes to   " + ", ".join(f"{region_name(region)} {region.pieces:,}" for region in regions[:MAX_REGIONS])
        if more := regions[MAX_REGIONS:]:
            yield f"            and {sum(region.pieces for region in more):,} to {counted(len(more), 'other region')}"
    for event in events:
        yield f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.kind:<16}{visible(event.detail)}".rstrip()


def events_json(events: Iterable["Event"]) -> list[dict[str, str]]:
    """A run's events."""
    return [{"at": f"{event.at:%Y-%m-%dT%H:%M:%SZ}", "kind": event.kind, "detail": event.detail} for event in events]


def next_command_lines(run: Run, *, removed: bool = False) -> Iterator[str]:
    """What a person can type, if the run waits for one. `removed`: its campaign is no longer in the project."""
    from dmail_runner.report.attention import commands_for, typed

    kind = "recall" if run.recall == ASKED else run.hold or "held" if run.state == "held" else run.state
    kind = "unknown" if removed and run.doubtful else kind
    if removed and not run.finished:
        yield f"  {'note':<10}{run.campaign} is no longer in the project, so that the run cannot continue"
    elif kind != "recall" and (removed or run.state not in ("held", "failed", "missed")):
        return
    commands = commands_for(kind, removed=removed, delivered=run.delivered)
    for number, command in enumerate(typed(commands, run.run_id, run.campaign, run.slot)):
        yield f"  {'' if number else 'next':<10}{command}"


def region_name(region: RegionCount) -> str:
    """A country, with its region if that is known."""
    return "-".join(filter(None, (region.country, region.region))) or "elsewhere"


def approval_lines(campaign: str, case: "Case", last: "Approval | None", *, full: bool) -> Iterator[str]:
    """The definition to approve, and the changes since the last approval."""
    from dmail_runner.run.definition import Definition, full_text, summary

    before = Definition(last.parts) if last else None
    yield f"{campaign} as {case.definition.fingerprint}"
    yield "it needs no approval" if case.duty is None else f"it needs an approval of the kind {case.duty}"
    if case.approvers:
        yield f"approvers are {', '.join(sorted(case.approvers))}"
    yield f"last approved on {last.at:%Y-%m-%d %H:%M} UTC by {last.by}; since then:" if last else "never approved before"
    lines = list(full_text(before, case.definition) if full else summary(before, case.definition))
    yield from lines or ["  nothing has changed"]
    if lines and not full:
        yield "--show --full prints every line of it"
    yield f"exactly this is approved by: dmail-runner approve {campaign} --fingerprint {case.definition.fingerprint[:12]}"


def check_json(found: "CheckResult") -> dict[str, object]:
    """The problems of the configuration, and the waves that wait."""
    levels = [("error", fault) for fault in found.errors] + [("warning", warning) for warning in found.warnings]
    waits = [{"run_id": run.run_id, "until": instant(wait.until), "why": wait.why} for run, wait in found.waits]
    return {"problems": [{"level": level, **asdict(problem)} for level, problem in levels], "waits": waits}


def wait_line(run: Run, wait: "Wait") -> str:
    """The time until which a wave waits, and the reason."""
    return f"{run.run_id}: waits until {moment(wait.until)}: {wait.why}"


def calendar_json(entry: "Entry") -> dict[str, str | int | None]:
    """A slot of the calendar."""
    slot, why, comes = instant(entry.at), entry.why or None, entry.comes
    dates = {
        "drop_date": comes.mailed.isoformat() if comes else None,
        "in_home_date": comes.in_home.isoformat() if comes else None,
    }
    return {"slot": slot, "local": entry.wall, "campaign": entry.campaign, "wave": entry.wave, "waits_for": why, **dates}


def calendar_row(entry: "Entry", *, dates: bool = False) -> list[str]:
    """A slot of the calendar as a row of a table, and what a wave waits for. `dates`: whether it has drop and in-home dates."""
    campaign = f"{entry.campaign} wave {entry.wave}" if entry.wave else entry.campaign
    comes = [f"{day:%a %Y-%m-%d}" for day in (entry.comes.mailed, entry.comes.in_home)] if entry.comes else ["", ""]
    return [f"{entry.at:%a %Y-%m-%d %H:%M}", entry.wall.replace("T", " ", 1), campaign, *(comes if dates else ()), entry.why]


def moment(slot: datetime) -> str:
    """A time in UTC."""
    return f"{slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
