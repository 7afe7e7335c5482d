"""The texts of the events with figures: `baseline` and `sources` for the next run, `unusual`, and `counted_before` for totals."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime

from dmail_runner.core.counted import counted
from dmail_runner.core.values import Baseline, ConsentFigures, ListFigures, SourceFigures

BASELINE, SOURCES, UNUSUAL, COUNTED, SORTED = "baseline", "sources", "unusual", "counted_before", "sorted"


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


def sources_text(sources: tuple[SourceFigures, ...]) -> str:
    """The figures of the sources as JSON."""
    return json.dumps([source_as_json(source) for source in sources], sort_keys=True, ensure_ascii=False)


def source_as_json(source: SourceFigures) -> dict[str, str | int | None]:
    """The figures of a source, for programs."""
    return {**asdict(source), "loaded": source.loaded.isoformat() if source.loaded else None}


def read_sources(text: str) -> tuple[SourceFigures, ...]:
    """The figures of an event. There are none if this version cannot read them."""
    with suppress(ValueError, TypeError, KeyError):
        return tuple(
            SourceFigures(**{**entry, "loaded": datetime.fromisoformat(entry["loaded"]) if entry["loaded"] else None})
            for entry in json.loads(text)
        )
    return ()


def sources_in_short(text: str) -> str:
    """A short text of an event `sources`, for timelines."""
    return "; ".join(map(str, read_sources(text)))


def notes_text(notes: tuple[str, ...]) -> str:
    """The notes as JSON."""
    return json.dumps(notes, ensure_ascii=False)


def read_notes(text: str) -> tuple[str, ...]:
    """The notes of an event. There are none if this version cannot read them."""
    with suppress(ValueError, TypeError):
        return tuple(map(str, json.loads(text)))
    return ()


def notes_in_short(text: str) -> str:
    """A short text of an event `unusual`, for timelines."""
    return "; ".join(read_notes(text))


def counts_text(counts: Mapping[str, int]) -> str:
    """The numbers of people by verdict as JSON."""
    return json.dumps(counts, sort_keys=True, ensure_ascii=False)


def read_counts(text: str) -> Mapping[str, int] | None:
    """The numbers of an event; None if there is none, or if this version cannot read it."""
    with suppress(ValueError, TypeError, AttributeError):
        return {str(verdict): int(count) for verdict, count in json.loads(text).items()}
    return None


def counts_in_short(text: str) -> str:
    """A short text of an event `counted_before`, for timelines."""
    return counted(sum((read_counts(text) or {}).values()), "person", "people")
