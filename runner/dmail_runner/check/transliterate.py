"""Replaces characters that the provider's encoding does not have, if the provider's format allows it."""

# ruff: noqa: RUF001, RUF003 (letters that look alike are what is replaced here)

import unicodedata
from collections import Counter
from dataclasses import dataclass, replace

import duckdb
from anyascii import anyascii

from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import Campaign
from dmail_runner.extract.format_sql import Format
from dmail_runner.extract.missing import encodes, missing_characters
from dmail_runner.project.warehouse import literal, printed, quote

# The first words of the Unicode names of letters.
SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "MODIFIER")
# Greek letters that sound otherwise beside others, by ELOT 743, which Greek passports follow: ου, αυ before voiced sounds and
# before others, γγ, and μπ at the beginning of a word. The second letter of a pair bears the accent.
VOICED = "αεηιουωάέήίόύώβγδζλμνρΑΕΗΙΟΥΩΆΈΉΊΌΎΏΒΓΔΖΛΜΝΡ"
GREEK = (
    ("([οΟ])[υύ]", r"\1u"), ("([οΟ])[ΥΎ]", r"\1U"),
    (f"([αεηΑΕΗ])[υύ]([{VOICED}])", r"\1v\2"), (f"([αεηΑΕΗ])[ΥΎ]([{VOICED}])", r"\1V\2"),
    ("([αεηΑΕΗ])[υύ]", r"\1f"), ("([αεηΑΕΗ])[ΥΎ]", r"\1F"),
    ("γ([γξχΓΞΧ])", r"n\1"), ("Γ([γξχΓΞΧ])", r"N\1"),
    (r"(^|\P{L})μπ", r"\1b"), (r"(^|\P{L})Μ[πΠ]", r"\1B"),
)  # fmt: skip
OTHERS = {"han": ("CJK",), "hangul": ("HANGUL",), "georgian": ("GEORGIAN",)}


@dataclass(frozen=True)
class Transliterated:
    """The characters that were replaced in one column.

    Attributes:
        column: the column.
        count: the number of replaced characters.
        character: the most frequent one of them.
        text: its replacement.
    """

    column: str
    count: int
    character: str
    text: str


def transliterate(
    connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign, file_format: Format
) -> tuple[Build, list[Transliterated]]:
    """Replace the characters of the extract that the encoding does not have by similar ones.

    Letters are replaced if they are Latin, Greek or Cyrillic, or of a script that the format names. Characters without a
    replacement, such as pictographs, stay as they are. They stop the run when the file is written.

    Returns:
        The build with the changed extract, and what was replaced in each column.
    """
    if not file_format.transliterate:
        return build, []
    columns: dict[str, dict[str, str]] = {}
    counts: Counter[str] = Counter()
    for found in missing_characters(connection, build, campaign, file_format.encoding, values=False):
        text = replacement(found.character, file_format)
        if text is not None:
            columns.setdefault(found.column, {})[found.character] = text
            counts[found.column] += found.count
    if not columns:
        return build, []
    fields = ", ".join(f"{replaced(column, mapped)} as {quote(column)}" for column, mapped in columns.items())
    summary = [Transliterated(column, counts[column], *next(iter(mapped.items()))) for column, mapped in columns.items()]
    return replace(build, extract=f"(select * replace ({fields}) from {build.extract})"), summary


def replaced(column: str, replacements: dict[str, str]) -> str:
    """SQL for a column's text with characters replaced."""
    text = printed(column)
    spelled = in_words(text, replacements)
    signs = "".join(f"\\x{{{ord(character):x}}}" for character in replacements)
    table = ", ".join(f"{literal(character)}: {literal(written)}" for character, written in replacements.items())
    letters = f"list_transform(string_split({spelled}, ''), lambda sign: coalesce(map {{{table}}}[sign], sign))"
    return f"case when regexp_matches({text}, '[{signs}]') then array_to_string({letters}, '') else {text} end"


def in_words(text: str, replacements: dict[str, str]) -> str:
    """SQL for a text in which the letters are spelled that depend on their neighbours."""
    rules = list(GREEK) if not replacements.keys().isdisjoint("υύΥΎγΓμΜ") else []
    for sign, written in replacements.items():
        # Two letters for a capital: SHCHUKIN, but Shchukin.
        if len(written) > 1 and written[0].isupper() and not written.isupper():
            rules += [
                (rf"{sign}(\p{{Lu}})", rf"{written.upper()}\1"),
                (rf"(\p{{Lu}}){sign}(\P{{L}}|$)", rf"\1{written.upper()}\2"),
            ]
    for pattern, spelled in rules:
        text = f"regexp_replace({text}, {literal(pattern)}, {literal(spelled)}, 'g')"
    return text


def replacement(character: str, file_format: Format) -> str | None:
    """The replacement of a character in the format's encoding; None if there is none that is suitable for a name."""
    kind = unicodedata.category(character)
    if kind == "Cf" or (kind.startswith("M") and unicodedata.name(character, "").startswith(("COMBINING", "VARIATION SELECTOR"))):
        return ""
    if kind in ("So", "Sk", "Co", "Cn", "Cs") or (kind[0] in "LM" and not is_transliterable(character, file_format)):
        return None
    text = anyascii(character)
    return text if text and encodes(text, file_format.encoding) else None


def is_transliterable(character: str, file_format: Format) -> bool:
    """Whether the letters of a character's script have a spelling in Latin that is right letter by letter."""
    chosen = {script for script, scheme in file_format.scripts if scheme}
    # Ligatures, full-width letters and ordinal signs are variants of other letters.
    plain = unicodedata.normalize("NFKD", character)[0]
    return any(
        unicodedata.name(sign, "").split(" ")[0] in {*SCRIPTS, *(name for script in chosen for name in OTHERS[script])}
        for sign in (character, plain)
    )
