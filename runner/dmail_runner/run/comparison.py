"""The figures of a run that waits for a person, beside those of the last settled run, as lines of text."""

from collections.abc import Iterator

from dmail_runner.core.cells import padded, width
from dmail_runner.core.counted import counted
from dmail_runner.core.redact import one_line
from dmail_runner.core.values import Comparison, Verdicts

WIDTH = 9  # digits of a column


def comparison_lines(found: Comparison) -> Iterator[str]:
    """A table from targeted to included, and the crossed limits."""
    built, before = found.verdicts, found.before
    reasons = dict.fromkeys([*(built.excluded if built else ()), *(before.excluded if before else ())])
    wide = max(20, *(width(one_line(reason)) + 1 for reason in reasons), 0)
    yield f"  {'':<{wide + 2}}{'this run':>{WIDTH + 2}}{'last delivered':>{WIDTH + 7}}{'change':>{WIDTH + 2}}"
    for name, depth, now, then in figures(built, before, list(reasons)):
        label = padded("  " * depth + one_line(name), wide + 2)
        yield f"  {label}{shown(now):>{WIDTH + 2}}{shown(then):>{WIDTH + 7}}{change(now, then):>{WIDTH + 2}}".rstrip()
    if built and built.churn:
        yield f"  {'added':<{wide + 2}}{built.churn.came:>{WIDTH + 2},}"
        yield f"  {'removed':<{wide + 2}}{built.churn.went:>{WIDTH + 2},}"
    for limit in found.limits:
        unit = counted(limit.value, "piece") if limit.figure == "included" else counted(limit.value, "person", "people")
        yield f"  limit     {limit.label}: {unit}"
    if found.last:
        yield f"  compared  with {found.last}"


def figures(
    built: Verdicts | None, before: Verdicts | None, reasons: list[str]
) -> Iterator[tuple[str, int, int | None, int | None]]:
    """The rows of the table: name, depth, the figure of this run, and that of the last settled one."""
    yield "targeted", 0, built.targeted if built else None, before.targeted if before else None
    for reason in reasons:
        yield reason, 1, built.excluded.get(reason, 0) if built else None, before.excluded.get(reason, 0) if before else None
    yield "included", 0, built.included if built else None, before.included if before else None
    if any(found and found.seeds for found in (built, before)):
        yield "seeds", 0, built.seeds if built else None, before.seeds if before else None


def shown(count: int | None) -> str:
    """A number; a dash if it is unknown."""
    return "-" if count is None else f"{count:,}"


def change(now: int | None, then: int | None) -> str:
    """A difference with its sign; nothing if a number is unknown."""
    return "" if now is None or then is None else f"{now - then:+,}" if now != then else "0"
