"""The cells that a text takes in a terminal: wide characters take two."""

from collections.abc import Iterator, Sequence


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


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with aligned columns, as lines."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(padded(cell, cells) for cell, cells in zip(row, widths, strict=True)).rstrip()
