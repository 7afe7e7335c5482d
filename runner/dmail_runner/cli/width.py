"""The width of text in a terminal, where wide characters take two cells, and lines that fit into it."""

import re
import shutil
from collections.abc import Iterator
from typing import TextIO

COLUMN = re.compile(r"\S {2,}(?=\S)")  # the blanks before a column
# A word, or what stays in one line to be copied: a command in backquotes, or one with all that follows, up to a further command.
WORD = re.compile(r"\s*(?:\(?`[^`]+`\S*|dmail-runner (?=[a-z]).*?(?:;(?= dmail-runner [a-z])|$)|\S+)")


def width(text: str) -> int:
    """The number of cells of a text."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, cells: int, *, right: bool = False) -> str:
    """A text with blanks up to a number of cells. `right`: the blanks are before it."""
    blanks = " " * (cells - width(text))
    return blanks + text if right else text + blanks


def folded(text: str, stream: TextIO) -> str:
    """A text of several lines whose long lines are broken at blanks, if it goes to a terminal."""
    if not stream.isatty():
        return text
    cells = shutil.get_terminal_size().columns
    return "\n".join(part for line in text.split("\n") for part in parts_of(line, cells))


def parts_of(line: str, cells: int) -> Iterator[str]:
    """The parts of a line that is too long, broken at blanks.

    Later parts begin where the last column does, if there is space. What `->` advises begins a part, and so does a further
    command. Commands to copy, and words that do not fit anyway, are not broken.
    """
    if width(line) <= cells:
        yield line
        return
    words = WORD.findall(line)
    indent = " " * hanging(line, cells)
    part = ""
    for word in words:
        fits = width(part + word) <= cells or width(indent + word.strip()) > cells
        if part.strip() and (not fits or word.strip() == "->"):
            yield part
            part = indent + word.lstrip()
        else:
            part += word
    yield part


def hanging(line: str, cells: int) -> int:
    """The indentation of the later parts of a line: the last column that has a quarter of the line, and space for its words."""
    for found in reversed(list(COLUMN.finditer(line))):
        start = width(line[: found.end()])
        longest = max(map(width, line[found.end() :].split()))
        if cells - start >= max(cells // 4, longest):
            return start
    return len(line) - len(line.lstrip()) + 2
