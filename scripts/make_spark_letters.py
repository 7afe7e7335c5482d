"""Writes macros/engine/spark_letters.sql: letters that Java and DuckDB treat differently, and letters with accents.

python scripts/make_spark_letters.py
"""

import unicodedata
from pathlib import Path

import duckdb

FILE = Path(__file__).parents[1] / "macros/engine/spark_letters.sql"
ASIDE = 0xE000  # Unicode's private use area: characters that no text contains, and that have no case
LETTERS = "select chr(i::int) as letter from range(128, 1114112) as letters(i) where i not between 55296 and 57343"
HEAD = """{#
    Letters as DuckDB treats them, for Spark. `python scripts/make_spark_letters.py` writes this file. The texts are pairs that
    correspond character by character:

        odd, capitals    letters whose capital is two letters in Java, and DuckDB's capitals of them
        aside            placeholders for the odd letters
        accented, bare   letters with accents, and the letters without
        single, usual    characters that are another one by definition (the sign Å), and that one
        pairs, whole     a letter and its accent as two characters, and as one
#}
"""


def main() -> None:
    with duckdb.connect() as connection:
        capitals = connection.execute(f"select letter, upper(letter) from ({LETTERS})").fetchall()
        normal = connection.execute(f"select letter, nfc_normalize(letter) from ({LETTERS})").fetchall()
        accents = connection.execute(f"select letter, strip_accents(letter) from ({LETTERS})").fetchall()
    odd = [(letter, capital) for letter, capital in capitals if capital != letter.upper()]
    accented = [(letter, bare) for letter, bare in accents if bare not in ("", letter)]
    single = [(letter, usual) for letter, usual in normal if letter != usual and len(usual) == 1]
    parts = [(unicodedata.normalize("NFD", letter), letter) for letter, usual in normal if letter == usual]
    steps = [(unicodedata.normalize("NFC", text[:-1]) + text[-1], letter) for text, letter in parts]
    pairs = [(pair, letter) for pair, letter in steps if len(pair) == 2 and unicodedata.category(pair[1]).startswith("M")]
    texts = {
        "odd": "".join(letter for letter, _ in odd),
        "aside": "".join(chr(ASIDE + number) for number in range(len(odd))),
        "capitals": "".join(capital for _, capital in odd),
        "accented": "".join(letter for letter, _ in accented),
        "bare": "".join(bare for _, bare in accented),
        "single": "".join(letter for letter, _ in single),
        "usual": "".join(usual for _, usual in single),
        "pairs": "".join(pair for pair, _ in pairs),
        "whole": "".join(letter for _, letter in pairs),
    }
    lines = [f'            "{name}": "{escaped(text)}",' for name, text in texts.items()]
    body = "\n".join(["{% macro spark_letters() %}", "    {{", "        return(", "            {", *lines, "            }"])
    FILE.write_text(f"{HEAD}{body}\n        )\n    }}}}\n{{% endmacro %}}\n")


def escaped(text: str) -> str:
    """A text within a Jinja literal."""
    return text.encode("ascii", "backslashreplace").decode()


if __name__ == "__main__":
    main()
