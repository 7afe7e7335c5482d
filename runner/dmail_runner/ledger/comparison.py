"""The event `figures`: what was built when a gate held the run, and what it was compared with."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from dmail_runner.core.counted import counted
from dmail_runner.core.values import Churn, Comparison, Limit, Verdicts
from dmail_runner.ledger.tables import events

FIGURES = "figures"


def comparison_text(found: Comparison) -> str:
    """The text of the event."""
    return json.dumps(comparison_as_json(found), sort_keys=True)


def comparison_as_json(found: Comparison) -> dict[str, Any]:
    """The figures for programs. `built` is null if nothing was built, `last` if no run has settled."""
    churn = vars(found.verdicts.churn) if found.verdicts and found.verdicts.churn else None
    return {
        "built": {**counts(found.verdicts), "churn": churn} if found.verdicts else None,
        "last": {"run_id": found.last, **counts(found.before)} if found.before else None,
        "limits": [vars(limit) for limit in found.limits],
    }


def counts(verdicts: Verdicts) -> dict[str, Any]:
    """The numbers of people from targeted to included."""
    names = ("targeted", "included", "seeds")
    return {**{name: getattr(verdicts, name) for name in names}, "excluded": dict(verdicts.excluded)}


def read_comparison(text: str) -> Comparison | None:
    """The figures of an event; None if this version cannot read them."""
    with suppress(ValueError, TypeError, KeyError):
        found = json.loads(text)
        last = found["last"]
        return Comparison(
            read_counts(found["built"]),
            last["run_id"] if last else None,
            read_counts(last),
            tuple(Limit(**limit) for limit in found["limits"]),
        )
    return None


def read_counts(found: Mapping[str, Any] | None) -> Verdicts | None:
    """The numbers of people from their JSON; None for null."""
    if found is None:
        return None
    churn = found.get("churn")
    return Verdicts(
        found["targeted"], found["included"], dict(found["excluded"]), found["seeds"], churn=Churn(**churn) if churn else None
    )


def comparison_in_short(text: str) -> str:
    """A short text of an event `figures`, for timelines."""
    found = read_comparison(text)
    built = found.verdicts if found else None
    return f"{built.targeted:,} targeted, {counted(built.included, 'piece')}" if built else ""


def hold_events(condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The query for the holds of some runs, with their figures."""
    return events.select().where(condition, events.c.kind.in_((FIGURES, "held"))).order_by(events.c.number)


def held_figures(lines: Iterable[Any]) -> dict[str, Comparison]:
    """The figures of each run's present hold, from events of the kinds `figures` and `held` in order, by run.

    The figures are recorded just before the hold that they belong to. A later hold without figures has none.
    """
    found: dict[str, Comparison] = {}
    waiting: dict[str, Comparison] = {}
    for row in lines:
        if row.kind == FIGURES:
            if comparison := read_comparison(row.detail):
                waiting[row.run_id] = comparison
        elif row.run_id in waiting:
            found[row.run_id] = waiting.pop(row.run_id)
        else:
            found.pop(row.run_id, None)
    return found
