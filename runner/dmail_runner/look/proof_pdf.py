"""Draws the pieces of a proof: a page each, with the address in its window, the barcodes, and the row's fields."""

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from dmail_runner.core.errors import DmailError, UsageError
from dmail_runner.core.links import qr_modules
from dmail_runner.look.proof_pieces import Piece
from dmail_runner.look.windows import LEADING, POINT, SIZE, Window, faults

FONT = "Noto Sans"
PAGE = (210 / POINT, 297 / POINT)  # A4, in points
EDGE = 15 / POINT
SCALE = (PAGE[0] - 2 * EDGE) * POINT / 250  # so that the widest envelope fits
BARS = re.compile("[TDAF]{28,80}")
PITCH = 25.4 / 22 / POINT  # from bar to bar: 22 an inch
MODULE = 0.5 / POINT  # of a QR code
FIELD_LEADING = 10
RED, GREY, BLACK = (0.8, 0.1, 0.1), (0.45, 0.45, 0.45), (0, 0, 0)


@dataclass(frozen=True)
class Proof:
    """What a proof shows: the number of its pieces, and their faults as (page, why the piece is in the proof, fault)."""

    pieces: int
    faults: tuple[tuple[int, str, str], ...]


def write_pdf(file: Path, title: str, window: Window, pieces: Sequence[Piece]) -> Proof:
    """Write the pages into a file that only its owner can read. It appears when it is complete.

    Args:
        file: the file; an existing one is replaced.
        title: the first line of each page.
        window: the window of the envelope.
        pieces: the pieces, one a page.

    Raises:
        UsageError: if the extra `proof` is not installed.
        DmailError: if the file cannot be written.
    """
    pages = Pages(title, window)
    for piece in pieces:
        pages.add(piece)
    content = pages.canvas.getpdfdata()
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb") as output:
                output.write(content)
            Path(temporary).replace(file)
        except BaseException:
            Path(temporary).unlink()
            raise
    except OSError as error:
        raise DmailError(f"{file} cannot be written: {error.strerror}") from None
    return Proof(len(pieces), tuple(pages.faults))


class Pages:
    """The pages of a proof. Lengths are in points from the page's lower left corner, as PDF counts."""

    def __init__(self, title: str, window: Window) -> None:
        try:
            from reportlab.pdfbase import pdfmetrics
            from reportlab.pdfbase.ttfonts import TTFont
            from reportlab.pdfgen.canvas import Canvas

            font = resources.files("fontpkg_noto_sans") / "files/NotoSans[wdth,wght].ttf"
        except ImportError:
            raise UsageError("a proof as PDF needs the extra `proof`", todo="pip install 'dmail-runner[proof]'") from None
        self.title, self.window = title, window
        self.canvas: Any = Canvas("", pagesize=PAGE, initialFontName="Helvetica", pageCompression=1)
        with resources.as_file(font) as path:
            self.font: Any = TTFont(FONT, str(path))
        pdfmetrics.registerFont(self.font)
        self.faults: list[tuple[int, str, str]] = []

    def width(self, text: str) -> float:
        """The width of a text in the size of an address."""
        return float(self.font.stringWidth(text, SIZE))

    def has(self, sign: str) -> bool:
        """Whether the font has a character."""
        return self.font.face.charToGlyph.get(ord(sign)) is not None

    def text(self, at: tuple[float, float], text: str, size: float = SIZE, colour: tuple[float, float, float] = BLACK) -> None:
        """Print a line. Characters that the font lacks are printed as U+FFFD."""
        self.canvas.setFillColorRGB(*colour)
        self.canvas.setFont(FONT, size)
        self.canvas.drawString(*at, "".join(sign if self.has(sign) else "\ufffd" for sign in text))

    def add(self, piece: Piece) -> None:
        """Add the page of a piece."""
        page = self.canvas.getPageNumber()
        found = list(faults(self.window, piece.address, self.width, self.has))
        self.faults += [(page, piece.why, fault) for _, fault in found]
        top = PAGE[1] - EDGE
        self.text((EDGE, top - SIZE), f"{self.title}: page {page}, {piece.why}. {self.window.title}")
        top -= 2 * LEADING
        for _, fault in found:
            self.text((EDGE, top - SIZE), fault, colour=RED)
            top -= LEADING
        top = self.envelope(top - LEADING, piece.address, {number for number, _ in found}) - LEADING
        for _, value in piece.fields:
            if BARS.fullmatch(value):
                top = self.barcode(top, value)
        if piece.purl:
            top = self.qr_code(top, piece.purl)
        self.fields(top - LEADING, piece.fields)
        self.canvas.showPage()

    def envelope(self, top: float, lines: Sequence[str], marked: set[int]) -> float:
        """Draw the paper and its window with the address, all smaller by SCALE. Returns the lower end."""
        window, (width, height) = self.window, self.window.paper
        self.canvas.saveState()
        self.canvas.translate(EDGE, top)
        self.canvas.scale(SCALE, SCALE)
        self.canvas.setStrokeColorRGB(*GREY)
        self.canvas.rect(0, -height / POINT, width / POINT, height / POINT)
        self.canvas.setDash(3, 2)
        at = (window.left / POINT, -(window.top + window.height) / POINT)
        self.canvas.rect(*at, window.width / POINT, window.height / POINT)
        for number, line in enumerate(lines):
            place = -(window.top + window.clear) / POINT - SIZE - number * LEADING
            self.text(((window.left + window.margin) / POINT, place), line, colour=RED if number in marked else BLACK)
        self.canvas.restoreState()
        return top - height / POINT * SCALE

    def barcode(self, top: float, bars: str) -> float:
        """Draw the bars of a 4-state barcode in the size of the print. Returns the lower end."""
        middle, bar = top - 8, PITCH * 0.45
        self.canvas.setFillColorRGB(*BLACK)
        for number, letter in enumerate(bars):
            low = middle - (5 if letter in "DF" else 1.7)
            high = middle + (5 if letter in "AF" else 1.7)
            self.canvas.rect(EDGE + number * PITCH, low, bar, high - low, stroke=0, fill=1)
        return top - 20

    def qr_code(self, top: float, address: str) -> float:
        """Draw the QR code of a personal address, with the address beside it. Returns the lower end."""
        rows = qr_modules(address)
        self.canvas.setFillColorRGB(*BLACK)
        for y, row in enumerate(rows, start=1):
            for x, black in enumerate(row):
                if black:
                    self.canvas.rect(EDGE + x * MODULE, top - y * MODULE, MODULE, MODULE, stroke=0, fill=1)
        height = len(rows) * MODULE
        self.text((EDGE + height + 4 * MODULE, top - height / 2), address, 8)
        return top - height - 2 * LEADING

    def fields(self, top: float, fields: Sequence[tuple[str, str]]) -> None:
        """Print the row, in lines that are broken where the page ends, and on further pages if there are too many."""
        from reportlab.lib.utils import simpleSplit

        column = EDGE + 130
        for label, value in fields:
            lines = simpleSplit(value, FONT, 8, PAGE[0] - EDGE - column) or [""]
            for number, line in enumerate(lines):
                if top < EDGE:
                    self.canvas.showPage()
                    top = PAGE[1] - EDGE
                if number == 0:
                    self.text((EDGE, top - 8), label[:28], 8, GREY)
                self.text((column, top - 8), line, 8)
                top -= FIELD_LEADING
