"""A scanner of QR codes, which is not the library that draws them."""

import re
from collections.abc import Collection

import numpy as np
import zxingcpp

Module = tuple[int, int]  # column and row, from the upper left corner


def black_in(svg: str) -> set[Module]:
    """The black modules of a picture that `qr_svg()` has drawn."""
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h", svg)
    return {(int(x) + step, int(y)) for x, y, length in runs for step in range(int(length))}


def scanned(black: Collection[Module]) -> list[str]:
    """What a scanner reads where some modules are black."""
    size = max(max(module) for module in black) + 9
    image = np.full((size, size), 255, dtype=np.uint8)
    for x, y in black:
        image[y + 4, x + 4] = 0
    return [found.text for found in zxingcpp.read_barcodes(image.repeat(6, 0).repeat(6, 1))]
