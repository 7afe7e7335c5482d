"""Colours of the words that people look for. There are none without a terminal, with NO_COLOR, and with TERM=dumb."""

import os
import re
from typing import TextIO

import typer

STYLES = {
    **dict.fromkeys(("held", "note", "retry", "stopped", "warning", "warn", "missed", "cancelled", "skip"), "yellow"),
    **dict.fromkeys(("error", "failed", "fail"), "red"),
    **dict.fromkeys(("delivered", "settled", "active", "ok"), "green"),
    **dict.fromkeys(("planned", "built", "extracted", "shipped"), "blue"),
}
# A state at the beginning of a line or of a column, and at the end of either. An indented line may be the rest of a sentence
# ("nothing was delivered"), so that its first word is a state only beside another column.
WORDS = "|".join(STYLES)
STATE = re.compile(rf"(^|\S\s\s+)({WORDS})(?=:|\s\s|$)|(^\s+)({WORDS})(?=\s\s+\S)")


def coloured(stream: TextIO) -> bool:
    """Whether a stream shows colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def styled(text: str, stream: TextIO) -> str:
    """A line with its first word in bold, and in colour for some words. A line that begins with a space is unchanged."""
    if not coloured(stream) or text.startswith(" "):
        return text
    kind, blank, rest = text.partition(" ")
    return typer.style(kind, fg=STYLES.get(kind.rstrip(":")), bold=True) + blank + rest


def with_states(text: str, stream: TextIO) -> str:
    """A text of several lines with the states of runs, campaigns and findings in colour."""
    if not coloured(stream):
        return text
    return "\n".join(STATE.sub(with_colour, line) for line in text.split("\n"))


def with_colour(found: re.Match[str]) -> str:
    """A state in its colour, after what stands before it."""
    state = found[2] or found[4]
    return (found[1] or found[3] or "") + typer.style(state, fg=STYLES[state], bold=True)
