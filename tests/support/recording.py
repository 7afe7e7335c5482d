"""A recording of a command in a terminal as an animated SVG, so that the README shows what the command really prints."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from xml.sax.saxutils import escape

COLUMNS = 100
CODE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+|\x1b")
COLOURS = {"31": "red", "32": "green", "33": "yellow", "34": "blue", "38": "blue"}
PAUSE, LONGEST, END = 0.25, 1.0, 6.0  # seconds between two pictures, of the longest one, and of the last one
RARE = 3.0
WIDE, HIGH = 8.0, 18  # pixels of a character
STYLE = """
svg { --page: #ffffff; --ink: #1b1f24; --red: #b3372d; --green: #2f7d55; --yellow: #8a6414; --blue: #1c5a9c; --edge: #e2e4e6; }
@media (prefers-color-scheme: dark) { svg { --page: #15181c; --ink: #e7e9ec; --red: #e0716a; --green: #62b98a; --yellow: #d6a640; --blue: #8abdf2; --edge: #2d343c; } }
rect { fill: var(--page); stroke: var(--edge); }
text { font: 13px ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; fill: var(--ink); white-space: pre; }
.b { font-weight: 700; } .red { fill: var(--red); } .green { fill: var(--green); } .yellow { fill: var(--yellow); } .blue { fill: var(--blue); }
.f { visibility: hidden; }
@media (prefers-reduced-motion: reduce) { .f { animation: none !important; } .f:last-of-type { visibility: visible; } }
"""


@dataclass
class Screen:
    """What a terminal shows: a list of lines, each a list of characters with their styles."""

    lines: list[list[tuple[str, str]]] = field(default_factory=lambda: [[]])
    x: int = 0
    y: int = 0
    style: str = ""

    def feed(self, text: str) -> None:
        for found in CODE.finditer(text):
            codes, kind = found[1], found[2]
            if kind == "m":
                self.style = " ".join(dict.fromkeys([*self.style.split(), *styles(codes).split()])) if codes.strip("0") else ""
            elif kind == "A":
                self.y -= int(codes or 1)
            elif kind == "K":
                self.lines[self.y] = []
            elif found[0] == "\r":
                self.x = 0
            elif found[0] == "\n":
                self.move_down()
            elif kind is None:
                self.put(found[0])

    def move_down(self) -> None:
        self.x, self.y = 0, self.y + 1
        if self.y == len(self.lines):
            self.lines.append([])

    def put(self, text: str) -> None:
        for sign in text:
            if self.x == COLUMNS:
                self.move_down()
            line = self.lines[self.y]
            line += [(" ", "")] * (self.x + 1 - len(line))
            line[self.x] = (sign, self.style)
            self.x += 1

    def shown(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        return tuple(tuple(line) for line in self.lines)


def styles(codes: str) -> str:
    """The classes of an SGR sequence; none for the one that ends all styles."""
    numbers = codes.split(";")
    return " ".join([*(["b"] if "1" in numbers[:1] else []), *(COLOURS[code] for code in numbers if code in COLOURS)][:2])


Frames = list[tuple[float, tuple[tuple[tuple[str, str], ...], ...]]]


def record(command: Sequence[str], shown: str, folder: Path, environment: dict[str, str]) -> Frames:
    """Run a command in a folder. `shown`: the line that a person would type. Returns what the terminal showed, with its times."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    screen = Screen()
    screen.feed(f"$ {shown}\r\n")
    frames: Frames = [(0.0, screen.shown())]
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    for text in pieces(ours):
        screen.feed(text.replace(str(folder), "/srv/dmail"))
        if screen.shown() != frames[-1][1]:
            frames.append((time.monotonic() - start, screen.shown()))
    os.close(ours)
    assert process.wait() == 0, "\n".join("".join(sign for sign, _ in line) for line in screen.lines)
    return frames


def pieces(terminal: int) -> Iterator[str]:
    """The output of a terminal, in pieces that are complete when nothing came for a moment."""
    pending, since = b"", time.monotonic()
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.03)
        try:
            more = os.read(terminal, 1 << 16) if ready else b""
        except OSError:
            break
        if ready and not more:
            break
        pending += more
        if pending and not ready and time.monotonic() - since > PAUSE:
            yield pending.decode()
            pending, since = b"", time.monotonic()
    yield pending.decode()


def thinned(frames: Frames) -> Frames:
    """The frames with a new line, and in between one each RARE seconds: a bar changes more often than a reader needs."""
    kept = frames[:1]
    for at, shown in frames[1:-1]:
        if len(shown) != len(kept[-1][1]) or at > kept[-1][0] + RARE:
            kept.append((at, shown))
    return [*kept, frames[-1]]


def as_svg(every: Frames) -> str:
    """The frames as one animation, without a time in which nothing changes for long."""
    frames = thinned(every)
    spans = [min(after[0] - before[0], LONGEST) for before, after in pairwise(frames)] + [END]
    whole = sum(spans)
    rows = max(len(shown) for _, shown in frames)
    wide, high = COLUMNS * WIDE + 32, rows * HIGH + 32
    rules, pictures, at = [], [], 0.0
    for number, ((_, shown), span) in enumerate(zip(frames, spans, strict=True)):
        first, last = 100 * at / whole, 100 * (at + span) / whole
        rules.append(
            f"#f{number} {{ animation: k{number} {whole:.2f}s step-end infinite; }}\n"
            f"@keyframes k{number} {{ 0% {{ visibility: {'visible' if number == 0 else 'hidden'}; }} {first:.3f}% {{ visibility: visible; }} "
            f"{min(last, 99.999):.3f}% {{ visibility: hidden; }} }}"
        )
        pictures.append(f'<g class="f" id="f{number}">{"".join(drawn(line, row) for row, line in enumerate(shown))}</g>')
        at += span
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high}" role="img">'
        f"<title>A run in a terminal</title><style>{STYLE}{''.join(rules)}</style>"
        f'<rect x="0.5" y="0.5" width="{wide - 1:.0f}" height="{high - 1}" rx="8"/>{"".join(pictures)}</svg>\n'
    )


def drawn(line: tuple[tuple[str, str], ...], row: int) -> str:
    """A line of text. Characters of one style are together."""
    if not "".join(sign for sign, _ in line).strip():
        return ""
    runs = [(style, "".join(sign for sign, _ in some)) for style, some in groupby(line, key=lambda cell: cell[1])]
    spans = "".join(f'<tspan class="{style}">{escape(text)}</tspan>' if style else escape(text) for style, text in runs)
    return f'<text x="16" y="{16 + HIGH * (row + 0.75):.0f}" xml:space="preserve">{spans}</text>'
