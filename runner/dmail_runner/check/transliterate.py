"""Characters that the provider's encoding lacks, written otherwise: only where its entry says so, and told."""

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
class Rewritten:
    """What was written otherwise in one column: `count` characters, such as `character` as `text`."""

    column: str
    count: int
    character: str
    text: str


def transliterate(
    connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign, form: Format
) -> tuple[Build, list[Rewritten]]:
    """The build with every character that the encoding lacks written by ones that it has, and what that came to.

    A pictograph has no such writing: it is left as it is, and stops the run when the file is written.
    """
    if not form.transliterate:
        return build, []
    found = list(lacking(connection, build, campaign, form.encoding))
    ways = {character: text for _, character, _ in found if (text := otherwise(character, form.encoding)) is not None}
    columns: dict[str, dict[str, str]] = {column: {} for column in decomposed(connection, build, campaign)}
    counts: Counter[str] = Counter()
    for column, character, count in found:
        if character in ways:
            columns.setdefault(column, {})[character] = ways[character]
            counts[column] += count
    if not columns:
        return build, []
    fields = ", ".join(f"{rewritten(column, mapped)} as {quote(column)}" for column, mapped in columns.items())
    told = [Rewritten(column, counts[column], *next(iter(mapped.items()))) for column, mapped in columns.items() if mapped]
    return replace(build, extract=f"(select * replace ({fields}) from {build.extract})"), told


def decomposed(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> list[str]:
    """The columns with letters that stand apart from their accents: most encodings have them as one character alone."""
    names = [column.name for column in campaign.exported]
    looks = ", ".join(f"coalesce(bool_or({printed(name)} <> {composed(name)}), false)" for name in names)
    found = connection.execute(f"select {looks} from {build.extract}").fetchone() or ()
    return [name for name, apart in zip(names, found, strict=True) if apart]


def lacking(
    connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign, encoding: str
) -> Iterator[tuple[str, str, int]]:
    """Column, character, and how often: of the characters in the file that its encoding lacks, the most frequent first."""
    looks = [
        f"select {literal(column.name)} as name, unnest(regexp_extract_all({text}, '[^\\x00-\\x7f]')) as character "
        f"from {build.extract} where length({text}) <> strlen({text})"
        for column in campaign.exported
        for text in [composed(column.name)]
    ]
    query = f"select name, character, count(*) from ({' union all '.join(looks)}) group by all order by 3 desc, 1, 2"
    for column, character, count in connection.execute(query).fetchall():
        if not encodes(character, encoding):
            yield column, character, count


def composed(column: str) -> str:
    """A column's text with letters and their accents as one character where there is one."""
    return f"nfc_normalize({printed(column)})"


def rewritten(column: str, ways: dict[str, str]) -> str:
    """SQL for a column's text with the given characters written otherwise."""
    text = composed(column)
    if not ways:
        return text
    signs = "".join(f"\\x{{{ord(character):x}}}" for character in ways)
    table = ", ".join(f"{literal(character)}: {literal(written)}" for character, written in ways.items())
    letters = f"list_transform(string_split({text}, ''), lambda sign: coalesce(map {{{table}}}[sign], sign))"
    return f"case when regexp_matches({text}, '[{signs}]') then array_to_string({letters}, '') else {text} end"


def otherwise(character: str, encoding: str) -> str | None:
    """Another writing of a character, in the encoding; None where there is none that a letter could bear."""
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
