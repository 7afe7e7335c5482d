"""What a run came to, in a few lines for a person."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from dmail_runner.core.values import Part, Place, Verdicts
from dmail_runner.ledger.run import Run
from dmail_runner.look.diff import Difference
from dmail_runner.look.explain import Explanation
from dmail_runner.report.rows import Event

MOST_PLACES = 12


def figures(verdicts: Verdicts) -> Iterator[str]:
    """The funnel, from targeted to included."""
    width = max(len(f"{verdicts.targeted:,}"), 7)
    wide = max(20, *(len(reason) + 1 for reason in verdicts.excluded), 0)
    yield f"  {'targeted':<{wide + 2}}{verdicts.targeted:>{width},}"
    yield f"  {'excluded':<{wide + 2}}{sum(verdicts.excluded.values()):>{width},}"
    for reason, count in verdicts.excluded.items():
        yield f"    {reason:<{wide}}{count:>{width},}"
    yield f"  {'included':<{wide + 2}}{verdicts.included:>{width},}"
    if verdicts.seeds:
        yield f"  {'seeds':<{wide + 2}}{verdicts.seeds:>{width},}"


def file_lines(part: Part, location: str | None) -> Iterator[str]:
    """One file."""
    yield f"  file      {location or f'{part.name} (route {part.route})'}"
    yield f"            {part.rows:,} rows, {part.bytes:,} bytes"
    yield f"  sha256    {part.sha256}"
    if part.plain_sha256:
        yield f"  opened    {part.plain_sha256}, {part.plain_bytes:,} bytes"


def explanation_lines(found: Explanation, slot: datetime) -> Iterator[str]:
    """A profile's way through the rules."""
    yield f"{found.profile_id}  slot {slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC  " + (
        f"excluded: {found.reason}" if found.reason else "included"
    )
    for opinion in found.opinions:
        said = {True: "out", False: "in", None: "-"}[opinion.out]
        yield f"  {opinion.rule:<20}{said:<5}{opinion.looked_at}".rstrip()
    if found.row:
        yield "  as it would be printed" if found.reason else "  as it is printed"
        width = max(map(len, found.row))
        for label, text in found.row.items():
            yield f"    {label:<{width}}  {text}".rstrip()


def record_lines(labels: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Rows as a table where it fits into so many columns, else one below the other, field by field."""
    lines = [[visible(cell) for cell in row] for row in (labels, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if sum(widths) + 2 * len(widths) <= width:
        for line in lines if rows else ():
            yield "  ".join(cell.ljust(size) for cell, size in zip(line, widths, strict=True)).rstrip()
        return
    margin = max(map(len, labels))
    for number, line in enumerate(lines[1:], start=1):
        yield f"row {number}"
        yield from (f"  {label:<{margin}}  {cell}".rstrip() for label, cell in zip(labels, line, strict=True))


def visible(text: str) -> str:
    """Text on one line, with what a terminal would act upon made visible."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def difference_lines(campaign: str, slot: datetime, found: Difference) -> Iterator[str]:
    """What changes against the last file."""
    yield f"{campaign}  slot {moment(slot)} against {moment(found.last.slot)}, {found.last.included:,} pieces"
    yield f"  {'added':<22}{found.added:>10,}"
    yield f"  {'removed':<22}{sum(found.removed.values()):>10,}"
    for reason, count in found.removed.items():
        yield f"    {reason:<20}{count:>10,}"
    told = "not known: the last run kept no hashes" if found.changed is None else f"{found.changed:>10,}"
    yield f"  {'changed':<22}{told}"
    yield f"  {'unchanged':<22}{found.unchanged:>10,}"
    for profile, what, reason in found.people:
        yield f"{profile}  {what}  {reason}".rstrip()


def difference_json(found: Difference) -> dict[str, object]:
    """The same for programs."""
    return {
        "last_run": found.last.run_id,
        "last_included": found.last.included,
        "added": found.added,
        "removed": dict(found.removed),
        "changed": found.changed,
        "unchanged": found.unchanged,
        "people": [{"profile_id": profile, "what": what, "reason": reason or None} for profile, what, reason in found.people],
    }


def event_lines(places: Sequence[Place], events: Sequence[Event]) -> Iterator[str]:
    """Where a run's pieces go, most first, and what happened to it, each event with its time (UTC)."""
    if places:
        yield "  goes to   " + ", ".join(f"{place_name(place)} {place.pieces:,}" for place in places[:MOST_PLACES])
        if more := places[MOST_PLACES:]:
            yield f"            and {sum(place.pieces for place in more):,} to {len(more):,} other places"
    for event in events:
        yield f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.kind:<14}{visible(event.detail)}".rstrip()


def place_name(place: Place) -> str:
    """A country, with its region where that is told."""
    return "-".join(filter(None, (place.country, place.region))) or "elsewhere"


def moment(slot: datetime) -> str:
    return f"{slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def run_lines(run: Run) -> Iterator[str]:
    """A whole run."""
    yield f"{run.campaign}  slot {moment(run.slot)}  {run.state}" + (f": {run.hold}  ({run.run_id})" if run.hold else "")
    if run.verdicts:
        yield from figures(run.verdicts)
    if run.cost:
        yield f"  cost      about {run.cost}"
    for entry in run.parts:
        if entry.part.side:
            yield f"  beside it {entry.location or entry.part.name}"
        else:
            yield from file_lines(entry.part, entry.location)
    if run.error:
        yield f"  error     {run.error}"


def events_json(events: Iterable[Event]) -> list[dict[str, str]]:
    """The events of a run as programs read them."""
    return [{"at": f"{event.at:%Y-%m-%dT%H:%M:%SZ}", "kind": event.kind, "detail": event.detail} for event in events]
