"""What a run came to, in a few lines for a person."""

from collections.abc import Iterator
from datetime import UTC, datetime

from runner.explain import Explanation
from runner.ledger import Run
from runner.values import Part, Verdicts


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


def run_lines(run: Run) -> Iterator[str]:
    """A whole run."""
    yield f"{run.campaign}  slot {run.slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC  {run.state}"
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
