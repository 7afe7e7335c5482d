"""Writes the macro `locales()` from its table. dbt's Jinja cannot read a file, and a seed exists only in the warehouse."""

import csv
import json
from pathlib import Path
from typing import Any

from sqlfmt.api import Mode, format_string

HEAD = """\
{#
    How each locale writes dates, numbers and money. `make docs` writes this file from locales.csv. The values are those of CLDR
    (Unicode) with two exceptions: every space within a number is the no-break space that Latin-1 has, and a currency code is
    separated from the number by one. Each locale has these entries:

        months                 the names of the months
        long, short            patterns of dates
        point, group           the decimal point, and the separator of thousands
        money, negative_money  patterns of amounts, and of negative ones if they are not `-` and the pattern
        symbols                currency -> symbol, for currencies whose symbol is not their code
#}
"""


def locales_macro(table: Path) -> str:
    """The file of the macro, formatted."""
    with table.open(encoding="utf-8", newline="") as file:
        locales = {row.pop("locale"): entries(row) for row in csv.DictReader(file)}
    body = json.dumps(locales, ensure_ascii=False, indent=4).replace("\\\\u", "\\u")
    macro = f"{{% macro locales() %}}\n    {{{{ return({body}) }}}}\n{{% endmacro %}}\n"
    return format_string(HEAD + macro, Mode(line_length=120))


def entries(row: dict[str, str]) -> dict[str, Any]:
    """A row's values by name, without empty ones; symbols by currency."""
    symbols = dict(pair.split("=") for pair in row.pop("symbols").split())
    return {**{name: text for name, text in row.items() if text}, "symbols": symbols}
