"""The width of text in a terminal, where wide characters take two cells."""


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
