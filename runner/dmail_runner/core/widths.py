"""SQL for the width of a text: in characters, in bytes of an encoding, or in the cells that a printer needs."""

import unicodedata
from functools import cache

# Encodings that write ASCII as one byte and every other character as two, and the characters that are an exception with one byte.
KATAKANA = "\uff61-\uff9f"
# EUC-KR is none of them: it writes rare syllables as eight bytes.
DOUBLE_BYTES = {
    **dict.fromkeys(("gbk", "gb2312", "big5", "cp950", "cp949"), ""),
    "shift_jis": KATAKANA + r"\x{a5}\x{203e}",
    "cp932": KATAKANA + r"\x{80}\x{f8f0}-\x{f8f3}",
}


def in_characters(text: str) -> str:
    """The number of characters (code points)."""
    return f"length({text})"


def in_bytes(text: str, encoding: str) -> str | None:
    """The number of bytes; None unless the encoding is UTF-8, or has one or two bytes for a character."""
    if encoding == "utf-8":
        return f"strlen({text})"
    if encoding in DOUBLE_BYTES:
        single = rf"[\x00-\x7f{DOUBLE_BYTES[encoding]}]"
        return f"(length({text}) + length(regexp_replace({text}, '{single}', '', 'g')))"
    return f"length({text})" if is_single_byte(encoding) else None


@cache
def is_single_byte(encoding: str) -> bool:
    """Whether an encoding writes each of its characters as one byte."""
    try:
        single = len(bytes(range(256)).decode(encoding, "replace")) == 256 and len("AA".encode(encoding)) == 2
        # Some encodings switch to another character set by more bytes: ISO-2022-JP, HZ.
        return single and all(len(sign.encode(encoding, "ignore")) <= 1 for sign in "\u5c71\ud55c\u00e9\u03a9")
    except UnicodeError:
        return False


def in_cells(text: str) -> str:
    """The number of cells of a printer with a fixed pitch: none for a combining mark, two for a wide character of East Asia."""
    zero, wide = cell_patterns()
    visible = f"regexp_replace({text}, '{zero}', '', 'g')"
    cells = f"length({visible}) + length({text}) - length(regexp_replace({text}, '{wide}', '', 'g'))"
    return f"(case when strlen({text}) = length({text}) then length({text}) else {cells} end)"


@cache
def cell_patterns() -> tuple[str, str]:
    """Regular expressions (RE2) for characters without a cell, and for those with two."""
    return r"[\p{Mn}\p{Me}\p{Cf}]", "[" + "".join(wide_ranges()) + "]"


def wide_ranges() -> list[str]:
    """The ranges of wide characters, as Unicode's East Asian Width has them."""
    ranges: list[str] = []
    start: int | None = None
    for code in range(0x1100, 0x40000):
        wide = unicodedata.east_asian_width(chr(code)) in "WF" and not unicodedata.category(chr(code)).startswith("M")
        if wide and start is None:
            start = code
        elif not wide and start is not None:
            ranges.append(rf"\x{{{start:x}}}-\x{{{code - 1:x}}}")
            start = None
    return ranges
