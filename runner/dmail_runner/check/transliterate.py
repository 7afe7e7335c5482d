"""Replaces characters that the provider's encoding does not have, if the provider's format allows it."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import duckdb
from anyascii import anyascii

from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import Campaign
from dmail_runner.extract.format_sql import Format
from dmail_runner.project.warehouse import literal, printed, quote


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

    Characters without a replacement, such as pictographs, stay as they are. They stop the run when the file is written.

    Returns:
        The build with the changed extract, and what was replaced in each column.
    """
    if not file_format.transliterate:
        return build, []
    found = list(unencodable(connection, build, campaign, file_format.encoding))
    replacements = {
        character: text for _, character, _ in found if (text := replacement(character, file_format.encoding)) is not None
    }
    columns: dict[str, dict[str, str]] = {column: {} for column in decomposed(connection, build, campaign)}
    counts: Counter[str] = Counter()
    for column, character, count in found:
        if character in replacements:
            columns.setdefault(column, {})[character] = replacements[character]
            counts[column] += count
    if not columns:
        return build, []
    fields = ", ".join(f"{replaced(column, mapped)} as {quote(column)}" for column, mapped in columns.items())
    summary = [
        Transliterated(column, counts[column], *next(iter(mapped.items()))) for column, mapped in columns.items() if mapped
    ]
    return replace(build, extract=f"(select * replace ({fields}) from {build.extract})"), summary


def decomposed(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> list[str]:
    """The columns with letters and accents as separate characters. Most encodings only have them as one character."""
    names = [column.name for column in campaign.exported]
    checks = ", ".join(f"coalesce(bool_or({printed(name)} <> {composed(name)}), false)" for name in names)
    found = connection.execute(f"select {checks} from {build.extract}").fetchone() or ()
    return [name for name, separate in zip(names, found, strict=True) if separate]


def unencodable(
    connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign, encoding: str
) -> Iterator[tuple[str, str, int]]:
    """The characters that the encoding does not have, as (column, character, count), most frequent first."""
    selects = [
        f"select {literal(column.name)} as name, unnest(regexp_extract_all({text}, '[^\\x00-\\x7f]')) as character "
        f"from {build.extract} where length({text}) <> strlen({text})"
        for column in campaign.exported
        for text in [composed(column.name)]
    ]
    query = f"select name, character, count(*) from ({' union all '.join(selects)}) group by all order by 3 desc, 1, 2"
    for column, character, count in connection.execute(query).fetchall():
        if not encodes(character, encoding):
            yield column, character, count


def composed(column: str) -> str:
    """SQL for a column's text with letters and accents as one character, if Unicode has it."""
    return f"nfc_normalize({printed(column)})"


def replaced(column: str, replacements: dict[str, str]) -> str:
    """SQL for a column's text with characters replaced."""
    text = composed(column)
    if not replacements:
        return text
    signs = "".join(f"\\x{{{ord(character):x}}}" for character in replacements)
    table = ", ".join(f"{literal(character)}: {literal(written)}" for character, written in replacements.items())
    letters = f"list_transform(string_split({text}, ''), lambda sign: coalesce(map {{{table}}}[sign], sign))"
    return f"case when regexp_matches({text}, '[{signs}]') then array_to_string({letters}, '') else {text} end"


def replacement(character: str, encoding: str) -> str | None:
    """The replacement of a character in an encoding; None if there is none that is suitable for a letter."""
    kind = unicodedata.category(character)
    if kind.startswith("M") or kind == "Cf":
        return ""
    text = None if kind in ("So", "Sk", "Co", "Cn", "Cs") else anyascii(character)
    return text if text and encodes(text, encoding) else None


def encodes(text: str, encoding: str) -> bool:
    """Whether an encoding has all the characters of a text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
