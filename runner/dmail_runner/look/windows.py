"""The windows of envelopes in which an address must show, and whether an address fits.

Sources:
    DIN 5008: the zone of the address in the fields of its forms A and B.
    DIN 680: the window of a DL envelope.
    Lob's specification of letter envelopes (help.lob.com): the address window of a #10 envelope, for which there is no norm.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

INCH = 25.4  # millimetres
POINT = INCH / 72
SIZE = 10  # points, of the letters of an address
LEADING = 12  # points, from line to line


@dataclass(frozen=True)
class Window:
    """A window, or a sheet's address zone. Lengths are in millimetres, from the left and the top of the paper.

    Attributes:
        title: its name for people.
        paper: width and height of the envelope, or of the part of the sheet that a proof shows.
        left, top, width, height: the window.
        margin: the distance that letters keep from the window's left edge.
        clear: the distance that they keep from its other edges.
    """

    title: str
    paper: tuple[float, float]
    left: float
    top: float
    width: float
    height: float
    margin: float
    clear: float

    @property
    def text_width(self) -> float:
        """The width of the longest line, in points."""
        return (self.width - self.margin - self.clear) / POINT

    @property
    def lines(self) -> int:
        """The number of lines."""
        return int((self.height - 2 * self.clear) / POINT // LEADING)


WINDOWS = {
    "din5008-a": Window("DIN 5008, form A", (210, 105), 20, 44.7, 85, 27.3, 5, 0),
    "din5008-b": Window("DIN 5008, form B", (210, 105), 20, 62.7, 85, 27.3, 5, 0),
    "dl": Window("DL, DIN 680", (220, 110), 20, 50, 90, 45, 5, 5),
    "us10": Window("#10, 1 by 4 inches", (9.5 * INCH, 4.125 * INCH), 0.625 * INCH, 2.125 * INCH, 4 * INCH, INCH, 3.2, 1),
}
DEFAULT = "din5008-b"


def faults(
    window: Window, lines: Sequence[str], width: Callable[[str], float], printable: Callable[[str], bool]
) -> Iterator[tuple[int, str]]:
    """The lines of an address that do not show in a window, as (number from 0, what is wrong).

    Args:
        window: the window.
        lines: the address.
        width: the width of a text in points.
        printable: whether the font has a character.
    """
    for number, line in enumerate(lines):
        if number >= window.lines:
            yield number, f"line {number + 1} is below the window, which has {window.lines} lines"
        if (excess := width(line) - window.text_width) > 0:
            yield number, f"line {number + 1} is {excess * POINT:.1f} mm too wide"
        if missing := sorted({sign for sign in line if not printable(sign)}):
            signs = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in missing)
            yield number, f"line {number + 1}: the proof's font lacks {signs}"
