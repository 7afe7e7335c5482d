"""Formats asked of DuckDB by the compiled macros."""

# ruff: noqa: RUF001 (letters that look alike are what is tested here)

import unicodedata
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

STYLES = ("full", "formal", "first_last", "last_first")
ROOM = 12

# What each test selects: its name, and the macros as a model would call them.
MODELS = {
    "text": """
        {{ proper_case("a") }} as proper, {{ upper_text("a") }} as postal, {{ to_ascii("a") }} as ascii,
        {{ to_ascii("a", german="b = 'de'") }} as maybe_german, {{ to_ascii("a", german=true, replacement="") }} as german,
        {{ pad("a", 8) }} as to_the_left, {{ pad("a", 8, align="right", fill="'") }} as to_the_right""",
    "names": ", ".join(
        f'{{{{ person_name("a", "b", "c", "d", style="{style}"{case}{room}) }}}} as {style}_{number}'
        for style in STYLES
        for number, (case, room) in enumerate(
            [("", ""), ("", f", max_length={ROOM}"), (', case="upper"', f", max_length={ROOM}"), (', case="proper"', "")]
        )
    ),
    "greetings": """
        {{ salutation("a", "b", "d", "c") }} as english, {{ salutation("a", "b", "d", "c", default="de") }} as german,
        {{ salutation("a", "b", "d", generic={"en": "Dear friend,"}) }} as friendly""",
    "cases": '{{ proper_case("b", language="a") }} as proper',
    "days": """
        {{ format_date("day", "locale") }} as long, {{ format_date("day", "locale", style="short") }} as short,
        {{ format_date("day", style="iso") }} as iso, {{ format_date("day", "'pl-PL'") }} as polish""",
    "amounts": """
        {{ format_number("amount", "locale") }} as whole, {{ format_number("amount", "locale", decimals=3) }} as exact,
        {{ format_money("amount", "currency", "locale") }} as money, {{ format_money("amount", "'CHF'", "'de-CH'") }} as swiss""",
    "phones": '{{ phone("a") }} as plain, {{ phone("a", "b") }} as international',
    "codes": """
        {{ check_digit("a") }} as mod10, {{ check_digit("a", "mod11") }} as mod11, {{ check_digit("a", "mod97") }} as mod97,
        {{ key_code(["b", "c"]) }} as joined, {{ key_code(["b", "c"], length=8, separator="-", check="mod97") }} as checked,
        {{ key_code(["b", "c"], length=7, charset="numeric", check="mod10") }} as figures""",
    "pieces": '{{ piece_id(profile_id="a") }} as piece, {{ piece_id(32, "a", campaign="other") }} as other',
}
COLUMNS = {
    "days": "day date, locale varchar",
    "amounts": "amount decimal(38, 6), currency varchar, locale varchar",
}
# What stops a project, and what its author must be told.
MISTAKES = {
    'person_name("a", "b", "c", style="short")': "full, formal, first_last, last_first",
    'person_name("a", "b", "c", case="lower")': "none, upper, proper",
    'person_name("a", "b", "c", max_length=0)': "whole number from 1",
    'salutation("a", "b", "c", default="xx")': "en, de, fr",
    'salutation("a", "b", "c", generic={"xx": "Hi,"})': "en, de, fr",
    'to_ascii("a", replacement="é")': "ASCII text",
    'pad("a", "8")': "whole number from 1",
    'pad("a", 8, align="centre")': "left, right",
    'pad("a", 8, fill="ab")': "one character",
    'format_date("a", "de-DE")': "within quotes",
    'format_date("a", "\'de-LU\'")': "en-US, en-GB",
    'format_date("a", style="medium")': "long, short, iso",
    'format_number("a", "locale", decimals=-1)': "0 to 10",
    'format_money("a", "EUR", "locale")': "within quotes",
    'check_digit("a", "mod12")': "mod10, mod11, mod97",
    'key_code("a")': "list of columns",
    'key_code(["a"], charset="hex")': "alphanumeric, numeric",
    'key_code(["a"], check="mod10")': "charset numeric",
    'piece_id(4, "a")': "8 to 32",
}
# One process for all: each dbt command by itself would take seconds.
COMPILE = """
import json, sys
from dbt.cli.main import dbtRunner
options = ["--log-level", "none", "--log-level-file", "none", "--target-path", sys.argv[1], "--log-path", sys.argv[1]]
manifest = dbtRunner().invoke(["parse", *options]).result
assert dbtRunner(manifest=manifest).invoke(["compile", "--select", "path:models/given", *options]).success
told = {}
for call in json.loads(sys.argv[2]):
    heard = []
    listening = dbtRunner(manifest=manifest, callbacks=[lambda event: heard.append(event.info.msg)])
    assert not listening.invoke(["compile", "--inline", "select {{ " + call + " }}", *options]).success
    told[call] = "\\n".join(heard)
json.dump(told, open(sys.argv[1] + "/told.json", "w"))
"""

Rows = list[tuple[Any, ...]]
Ask = Callable[[str, Rows], list[dict[str, Any]]]


def rows_of(*columns: st.SearchStrategy[Any]) -> st.SearchStrategy[Rows]:
    return st.lists(st.tuples(*columns), min_size=1, max_size=40)


ODD = [
    "ÅSA",
    "O'BRIEN",
    "van der berg",
    "MACARTHUR",
    "ﬁx",
    "ẞ",
    "STRAßE",
    "علی\u200cرضا",
    "👨\u200d👩\u200d👧",
    "e\u0301",
    "x" * 300,
    " ",
    "",
    "ΟΔΥΣΣΕΥΣ",
]
TEXT = st.none() | st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=14)


# What DuckDB's trim takes away.
SPACES = "".join(chr(code) for code in range(0x3001) if unicodedata.category(chr(code)) == "Zs")


def shortest(text: str | None) -> str | None:
    """As the macros read a column."""
    return (text or "").strip(SPACES) or None
