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
# A state at the beginning of a line or of a column, and at the end of either.
STATE = re.compile(rf"(?:(?<=\s\s)|^)({'|'.join(STYLES)})(?=:|\s\s|$)")


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
    lines = text.split("\n")
    return "\n".join(STATE.sub(lambda found: typer.style(found[0], fg=STYLES[found[0]], bold=True), line) for line in lines)
