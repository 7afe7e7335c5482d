"""Finds the characters that the encoding of the file does not have."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from dmail_runner.core.counted import counted
from dmail_runner.core.redact import one_line
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import KEY, Campaign
from dmail_runner.extract.encoder import round_trips
from dmail_runner.project.warehouse import literal, printed, quote

MOST = 20  # characters that an error names
SHIFTS = r"[\x0e\x0f\x1b]"  # characters of ASCII by which some encodings of East Asia switch between character sets


@dataclass(frozen=True)
class Missing:
    """A character that the encoding does not have.

    Attributes:
        column: the column with the character.
        character: the character.
        count: the number of values with it, or how often it occurs.
        example: the key of a row with it.
    """

    column: str
    character: str
    count: int
    example: str

    @property
    def text(self) -> str:
        """The character, and where it is."""
        where = f"{self.column} has it in {counted(self.count, 'value')}, such as that of {KEY} {one_line(self.example)}"
        return f"{named(self.character)}; {where}"


def missing_characters(
    connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign, encoding: str, *, values: bool
) -> Iterator[Missing]:
    """The characters of the extract that the encoding lacks, most frequent first, with the number of `values` or of all."""
    selects = [
        f"select {literal(column.name)} as name, {quote(KEY)} as example, "
        f"unnest({f'list_distinct({found})' if values else found}) as character "
        f"from {build.extract} where length({text}) <> strlen({text}) or regexp_matches({text}, '{SHIFTS}')"
        for column in campaign.exported
        for text in [printed(column.name)]
        for found in [rf"regexp_extract_all({text}, '[^\x00-\x7f]|{SHIFTS}')"]
    ]
    union = " union all ".join(selects)
    query = f"select name, character, count(*), cast(min(example) as varchar) from ({union}) group by all order by 3 desc, 1, 2"
    for found in connection.execute(query).fetchall():
        if not encodes(found[1], encoding) or not round_trips(found[1], encoding):
            yield Missing(*found)


def encodes(text: str, encoding: str) -> bool:
    """Whether an encoding has all the characters of a text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def named(character: str) -> str:
    """A character with its code point and name."""
    return f"{character!r} (U+{ord(character):04X}, {unicodedata.name(character, 'no name')})"


def lacks(encoding: str, missing: list[Missing]) -> str:
    """What an encoding lacks, as the end of an error: in one line, or in a line for each character."""
    if len(missing) == 1:
        return f"{encoding} has no {missing[0].text}"
    lines = "".join(f"\n  {found.text}" for found in missing[:MOST])
    more = f"\n  and {counted(len(missing) - MOST, 'other')}" if len(missing) > MOST else ""
    return f"{encoding} lacks {counted(len(missing), 'character')}:{lines}{more}"
