"""The text of the event `baseline`: the figures that the next run is compared with."""

import json
from contextlib import suppress
from dataclasses import asdict

from dmail_runner.core.counted import counted
from dmail_runner.core.values import Baseline, ConsentFigures, ListFigures

BASELINE = "baseline"


def baseline_text(baseline: Baseline) -> str:
    """The figures as JSON."""
    return json.dumps(asdict(baseline), sort_keys=True, ensure_ascii=False)


def baseline_in_short(text: str) -> str:
    """A short text of an event `baseline`, for timelines."""
    found = read_baseline(text)
    return f"{counted(found.profiles, 'profile')}, {counted(len(found.lists), 'suppression list')}" if found else ""


def read_baseline(text: str) -> Baseline | None:
    """The figures of an event; None if this version cannot read them."""
    with suppress(ValueError, TypeError, KeyError):
        found = json.loads(text)
        return Baseline(
            found["profiles"],
            tuple(ListFigures(**entry) for entry in found["lists"]),
            tuple(ConsentFigures(**entry) for entry in found["consents"]),
        )
    return None
