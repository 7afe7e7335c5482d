"""The events `estimate` and `materials`: what a frozen run costs, and what it needs at the mail house."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from dmail_runner.core.materials import Count, Materials, Need
from dmail_runner.core.money import Estimate
from dmail_runner.core.values import Verdicts
from dmail_runner.ledger.baseline import BASELINE, COUNTED, SOURCES, UNUSUAL

ESTIMATE, MATERIALS = "estimate", "materials"
# The events with a frozen run's figures. Of a run that was made again, the last of each counts.
FIGURE_EVENTS = (BASELINE, SOURCES, UNUSUAL, COUNTED, ESTIMATE, MATERIALS)
AMOUNTS = ("total", "production", "postage")


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


def supplies_as_json(verdicts: Verdicts | None) -> dict[str, Any]:
    """What a run costs and needs, for programs. Amounts are texts, because numbers of JSON are not exact."""
    found: dict[str, Any] = {}
    if verdicts and verdicts.estimate:
        found["estimate"] = json.loads(estimate_text(verdicts.estimate))
    if verdicts and verdicts.materials:
        found["materials"] = materials_as_json(verdicts.materials)["needs"]
    return found


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
        until = count.valid_until.isoformat() if count.valid_until else None
        times = {"counted": count.counted.isoformat(), "valid_until": until}
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
    until = datetime.fromisoformat(found["valid_until"]) if found["valid_until"] else None
    return Count(**{**found, "counted": datetime.fromisoformat(found["counted"]), "valid_until": until})


def materials_in_short(text: str) -> str:
    """A short text of an event `materials`, for timelines."""
    found = read_materials(text)
    return ", ".join(f"{need.pieces:,} of {need.item}" for need in found.needs) if found else ""
