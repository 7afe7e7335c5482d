"""Writes macros/format/intelligent_mail_tables.sql: the tables of USPS-B-3200, computed by its rules.

Run it as: python scripts/make_intelligent_mail_tables.py
"""

import re
from pathlib import Path

TARGET = Path(__file__).parents[1] / "macros/format/intelligent_mail_tables.sql"
BITS = 13  # of a character
LIMB = 51  # bits: the 102 bits of the data are two of them
GENERATOR = 0xF35  # the polynomial of the frame check sequence
COMMENT = """\
{#
    The tables of USPS-B-3200, as texts of numbers. `python scripts/make_intelligent_mail_tables.py` writes this file.

        characters   the 13 bits of each codeword: 1287 characters with five bits set, then 78 with two
        upper, lower for each bit of the frame check sequence, from the lowest: the bits of the data's upper and lower 51 bits of
                     which it is the sum
        initial      for each bit of the frame check sequence, what is added to that sum
        descenders, ascenders
                     for each of the 65 bars, the bit that makes it descend or ascend, counted from the first character's lowest
#}
"""
# The bars, from the left: character and bit of the descender, character and bit of the ascender. The characters are A to J.
BARS = """
    H2E3 B10A0 J12C8 F5G11 I9D1 A1F12 C5B8 E4J11 G3I10 D9H6 F11B4 I5C12 J10A2 H1G7 D6E9 A3I6 G4C7 B1J9 H10F2 E0D8 G2A4 I11B0 J8D12
    C6H7 F1E10 B12G9 H3I0 F8J7 E6C10 D4A5 I4F7 H11B9 G0J6 A6E8 C1D2 F9I12 E11G1 J5H4 D3B2 A7C0 B3E1 G10D5 I7J4 C11F6 A8H12 E2I1
    F10D0 J3A9 G5C4 H8B7 F0E5 C3A10 G12J2 D11B6 I8H9 F4A11 B5C2 J1E12 I3G6 H0D7 E7H5 A12B11 C9J0 G8F3 D10I2
"""


def characters(ones: int) -> list[int]:
    """The characters with so many bits set: each one beside its mirror image, and last those that are their own."""
    pairs: list[tuple[int, int]] = []
    own: list[int] = []
    for value in range(2**BITS):
        mirrored = int(f"{value:0{BITS}b}"[::-1], 2)
        if value.bit_count() == ones and mirrored >= value:
            if mirrored == value:
                own.append(value)
            else:
                pairs.append((value, mirrored))
    return [value for pair in pairs for value in pair] + own[::-1]


def check_sequence(data: int) -> int:
    """The 11 bits of the frame check sequence over 102 bits."""
    check = 0x7FF
    for place in reversed(range(2 * LIMB)):
        carry = (check >> 10 ^ data >> place) & 1
        check = (check << 1 ^ GENERATOR * carry) & 0x7FF
    return check


def masks() -> tuple[list[int], list[int]]:
    """For each bit of the frame check sequence, the bits of the upper and lower half of the data that change it."""
    changes = [check_sequence(1 << place) ^ check_sequence(0) for place in range(2 * LIMB)]
    whole = [sum(1 << place for place, change in enumerate(changes) if change >> bit & 1) for bit in range(11)]
    return [mask >> LIMB for mask in whole], [mask & 2**LIMB - 1 for mask in whole]


def bars() -> tuple[list[int], list[int]]:
    """For each bar, the bits of its descender and its ascender, counted over all characters."""
    places = [(ord(character) - ord("A")) * BITS + int(bit) for character, bit in re.findall("([A-J])([0-9]+)", BARS)]
    return places[::2], places[1::2]


def tables() -> dict[str, list[int]]:
    """The tables by name."""
    upper, lower = masks()
    descenders, ascenders = bars()
    return {
        "characters": characters(5) + characters(2),
        "upper": upper,
        "lower": lower,
        "initial": [check_sequence(0) >> bit & 1 for bit in range(11)],
        "descenders": descenders,
        "ascenders": ascenders,
    }


def main() -> None:
    """Write the file."""
    lines = ",\n".join(f'                "{name}": "{" ".join(map(str, values))}"' for name, values in tables().items())
    macro = (
        "{% macro intelligent_mail_tables() %}\n    {{\n        return(\n            {\n"
        + lines
        + ",\n            }\n        )\n    }}\n"
    )
    TARGET.write_text(COMMENT + macro + "{% endmacro %}\n")


if __name__ == "__main__":
    main()
