"""The cells that a text takes in a terminal: wide characters take two."""

from rich.cells import cell_len


def width(text: str) -> int:
    """The number of cells of a text."""
    if text.isascii():
        return len(text)
    return cell_len(text)


def padded(text: str, cells: int, *, right: bool = False) -> str:
    """A text with blanks up to a number of cells. `right`: the blanks are before it."""
    blanks = " " * (cells - width(text))
    return blanks + text if right else text + blanks
