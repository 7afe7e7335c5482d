"""Prints the review of a branch: in lines for a terminal, or as Markdown for a pull request. It has no personal data."""

from collections.abc import Iterator, Sequence

from dmail_runner.cli.text import figures, hold_lines
from dmail_runner.core.counted import counted
from dmail_runner.core.redact import printable
from dmail_runner.look.review import Change, Figures


def plain(change: Change, found: Figures | None) -> Iterator[str]:
    """One campaign, for a terminal."""
    yield f"{change.campaign}  {change.how}"
    yield from (line if line.startswith("  ") else f"  {line}" for line in change.lines)
    if found:
        yield from figures(found.verdicts)
        if found.cost:
            yield f"  cost      about {found.cost}"
        yield from hold_lines(found.holds)


def markdown(change: Change, found: Figures | None) -> Iterator[str]:
    """One campaign, for a comment on a pull request."""
    yield f"### `{change.campaign}`: {change.how}"
    yield ""
    if change.lines:
        yield from ("```", *(printable(line).replace("```", "'''") for line in change.lines), "```", "")
    if found:
        yield from table(found)
        yield ""
        yield from (f"- Would be held: {cell(hold)}" for hold in found.holds)


def table(found: Figures) -> Iterator[str]:
    """The figures, beside those of the last settled run."""
    verdicts, last = found.verdicts, found.last.verdicts if found.last else None
    yield "| | next file | last delivered run |"
    yield "| --- | ---: | ---: |"
    yield f"| targeted | {verdicts.targeted:,} | {f'{last.targeted:,}' if last else 'none'} |"
    for reason in dict.fromkeys((*verdicts.excluded, *(last.excluded if last else ()))):
        before = f"{last.excluded.get(reason, 0):,}" if last else ""
        yield f"| excluded: {cell(reason)} | {verdicts.excluded.get(reason, 0):,} | {before} |"
    yield f"| **included** | **{verdicts.included:,}** | {f'{last.included:,}' if last else ''} |"
    if verdicts.seeds:
        yield f"| seeds | {verdicts.seeds:,} | |"
    if found.cost:
        yield f"| cost | about {found.cost} | |"


def cell(text: str) -> str:
    """A text in a table or a list of Markdown."""
    return printable(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def headline(changed: Sequence[Change], campaigns: int, base: str) -> str:
    """How many campaigns differ."""
    return f"{len(changed)} of {counted(campaigns, 'campaign')} {'differs' if len(changed) == 1 else 'differ'} from {base}"
