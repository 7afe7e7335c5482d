"""Lines that fit into a terminal."""

import re
import shutil
from collections.abc import Iterator
from typing import TextIO

from dmail_runner.core.cells import width

COLUMN = re.compile(r"\S {2,}(?=\S)")  # the blanks before a column
COMMAND = re.compile(r"\S*\bdmail-runner (?=[a-z])")
QUOTED = re.compile(r"\s*\(?`[^`]+`\S*")
NEXT_ADVICE = re.compile(r"(?<=;)(?= )")


def folded(text: str, stream: TextIO) -> str:
    """A text of several lines whose long lines are broken at blanks, if it goes to a terminal."""
    if not stream.isatty():
        return text
    cells = shutil.get_terminal_size().columns
    return "\n".join(part for line in text.split("\n") for part in parts_of(line, cells))


def parts_of(line: str, cells: int) -> Iterator[str]:
    """The parts of a line that is too long, broken at blanks.

    Later parts begin where the last column does, if there is space. What `->` advises begins a part, and so does
    what follows a command after a semicolon. Commands to copy, and words that do not fit anyway, are not broken off.
    """
    if width(line) <= cells:
        yield line
        return
    indent = " " * hanging(line, cells)
    part = ""
    for word in words_of(line):
        begun, alone = part.strip(), indent + word.lstrip()
        breaks = width(part + word) > cells and (width(alone) <= cells or begun.endswith(";"))
        if begun and (breaks or word.strip() == "->"):
            yield part
            part = alone
        else:
            part += word
    yield part


def words_of(line: str) -> Iterator[str]:
    """The words of a line, with the blanks before them. A command is one: what is in backquotes, or up to a semicolon."""
    command = COMMAND.search(line)
    head = line[: command.start()].rstrip() if command else line
    rest = line[len(head) :]
    yield from re.findall(r"\s*\S+", head)
    if quoted := QUOTED.match(rest):
        yield quoted[0]
        yield from words_of(rest[quoted.end() :])
    elif command:
        yield from NEXT_ADVICE.split(rest)


def hanging(line: str, cells: int) -> int:
    """The indentation of the later parts of a line: the last column that has a quarter of the line, and space for its words."""
    for found in reversed(list(COLUMN.finditer(line))):
        start = width(line[: found.end()])
        longest = max(width(word.strip()) for word in words_of(line[found.end() :]))
        if cells - start >= max(cells // 4, longest):
            return start
    return len(line) - len(line.lstrip()) + 2
