"""The events `estimate` and `materials`: what a frozen run costs, and what it needs at the mail house."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa

from dmail_runner.core.materials import Count, Materials, Need
from dmail_runner.core.money import Estimate
from dmail_runner.ledger.baseline import BASELINE, COUNTED, SOURCES, UNUSUAL
from dmail_runner.ledger.database import Database, iso, moment
from dmail_runner.ledger.tables import events, runs

ESTIMATE, MATERIALS = "estimate", "materials"
# The events with a frozen run's figures. Of a run that was made again, the last of each counts.
FIGURE_EVENTS = (BASELINE, SOURCES, UNUSUAL, COUNTED, ESTIMATE, MATERIALS)
AMOUNTS = ("total", "production", "postage")
# Runs in these states cost and need nothing.
WITHOUT = ("cancelled", "missed", "empty")


def estimate_text(estimate: Estimate | None) -> str:
    """The text of an event `estimate`. Amounts are texts, because numbers of JSON are not exact."""
    return json.dumps(asdict(estimate) if estimate else None, sort_keys=True, ensure_ascii=False, default=str)


def read_estimate(text: str) -> Estimate | None:
    """The cost in the text of an event; None if there is none, or if this version cannot read it."""
    with suppress(ValueError, TypeError, KeyError, InvalidOperation):
        found = json.loads(text)
        amounts = {name: None if found[name] is None else Decimal(found[name]) for name in AMOUNTS}
        return Estimate(**{**found, **amounts})
    return None


def estimate_in_short(text: str) -> str:
    """A short text of an event `estimate`, for timelines."""
    found = read_estimate(text)
    if found is None:
        return ""
    order = f", order {found.order}" if found.order else ""
    return f"{found.money or 'not known'}{order}"


def materials_text(materials: Materials | None) -> str:
    """The text of an event `materials`."""
    return json.dumps(materials_as_json(materials) if materials else None, sort_keys=True, ensure_ascii=False)


def materials_as_json(materials: Materials) -> dict[str, Any]:
    """What a run needs, for programs."""
    return {"needs": [need_as_json(need) for need in materials.needs], "reported": materials.reported}


def need_as_json(need: Need) -> dict[str, Any]:
    """What a run needs of an item, for programs."""
    count = need.count
    known: dict[str, Any] = {"count": None}
    if count:
        times = {"counted": iso(count.counted), "valid_until": iso(count.valid_until) if count.valid_until else None}
        known = {"count": {**asdict(count), **times}}
    return {"item": need.item, "pieces": need.pieces, **known}


def read_materials(text: str) -> Materials | None:
    """What a run needs, from the text of an event; None if there is none, or if this version cannot read it."""
    with suppress(ValueError, TypeError, KeyError):
        found = json.loads(text)
        needs = tuple(Need(entry["item"], entry["pieces"], read_count(entry["count"])) for entry in found["needs"])
        return Materials(needs, found["reported"])
    return None


def read_count(found: Mapping[str, Any] | None) -> Count | None:
    """A count from its JSON; None for null."""
    if found is None:
        return None
    counted_at = moment(found["counted"])
    assert counted_at is not None
    return Count(**{**found, "counted": counted_at, "valid_until": moment(found["valid_until"])})


def materials_in_short(text: str) -> str:
    """A short text of an event `materials`, for timelines."""
    found = read_materials(text)
    return ", ".join(f"{need.pieces:,} of {need.item}" for need in found.needs) if found else ""


def recorded(ledger: Database, kind: str) -> dict[str, tuple[int, str]]:
    """The last event of a kind of each run that costs or needs something: its number and its text, by run."""
    query = (
        sa.select(events.c.run_id, events.c.number, events.c.detail)
        .join(runs, runs.c.run_id == events.c.run_id)
        .where(events.c.kind == kind, runs.c.state.not_in(WITHOUT))
        .order_by(events.c.number)
    )
    with ledger.reading() as connection:
        return {row.run_id: (row.number, row.detail) for row in connection.execute(query)}
