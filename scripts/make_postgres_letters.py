"""Writes macros/engine/postgres_letters.sql: the classes of letters that patterns name, as PostgreSQL can read them.

python scripts/make_postgres_letters.py
"""

from pathlib import Path

import duckdb

FILE = Path(__file__).parents[1] / "macros/engine/postgres_letters.sql"
CLASSES = ("C", "Cc", "Cf", "L", "Ll", "Lu", "M", "N", "Z", "Han", "Hangul", "Hiragana", "Katakana", "Thai")
LETTERS = "select i as code, chr(i::int) as letter from range(1, 1114112) as letters(i) where i not between 55296 and 57343"
HEAD = """{#
    Classes of characters (`\\p{L}`) as ranges within the brackets of a pattern: PostgreSQL has none of Unicode's classes. These
    are DuckDB's. `python scripts/make_postgres_letters.py` writes this file.
#}
"""


def main() -> None:
    with duckdb.connect() as connection:
        classes = {name: ranges(members(connection, name)) for name in CLASSES}
    lines = [f'            "{name}": "{text}",' for name, text in classes.items()]
    body = "\n".join(["{% macro postgres_letters() %}", "    {{", "        return(", "            {", *lines, "            }"])
    FILE.write_text(f"{HEAD}{body}\n        )\n    }}}}\n{{% endmacro %}}\n")


def members(connection: duckdb.DuckDBPyConnection, name: str) -> list[int]:
    """The code points of a class."""
    query = f"select code from ({LETTERS}) where regexp_matches(letter, '^\\p{{{name}}}$') order by code"
    return [code for (code,) in connection.execute(query).fetchall()]


def ranges(codes: list[int]) -> str:
    """Code points as ranges. What lies between two ranges and is no character at all (the surrogates) is left out."""
    found: list[list[int]] = []
    for code in codes:
        if found and code == found[-1][1] + 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return "".join(escaped(first) + (f"-{escaped(last)}" if last > first else "") for first, last in found)


def escaped(code: int) -> str:
    """A character within the brackets of a pattern, in a Jinja literal."""
    return f"\\\\u{code:04x}" if code < 0x10000 else f"\\\\U{code:08x}"


if __name__ == "__main__":
    main()
