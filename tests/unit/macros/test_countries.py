"""Countries and languages by the codes and names that databases contain, read by the macro alone."""

import csv

import duckdb
import pytest

from project import ROOT
from rendered import Package

NAMES = {
    "germany ": "DE", "\N{NO-BREAK SPACE}GERMANY": "DE", "O\N{COMBINING DIAERESIS}sterreich": "AT", "Osterreich": "AT",
    "Großbritannien": "GB", "GROSSBRITANNIEN": "GB", "England": "GB", "U.K.": "GB", "uk ": "GB", "gbr": "GB",
    "United States of America": "US", "U.S.A.": "US", "The Netherlands": "NL", "Holland": "NL", "Czech Republic": "CZ",
    "Turkey": "TR", "Turkiye": "TR", "Cote d\N{RIGHT SINGLE QUOTATION MARK}Ivoire": "CI", "Trinidad and Tobago": "TT", "Korea, Republic of": "KR",
    "Finland": "FI", "Finnland": "FI", "Åland": "AX", "jersey": "JE", "Guernesey": "GG", "Puerto Rico": "PR",
    "EL": "GR", "日本": "JP", "Atlantis": "ATLANTIS", "Channel Islands": "CHANNEL ISLANDS", "": None, None: None,
}  # fmt: skip


@pytest.fixture(scope="module")
def read() -> dict[str | None, str | None]:
    """The codes of NAMES, and of every name of the seeds."""
    with duckdb.connect() as connection:
        for seed in ("countries", "country_names"):
            path = ROOT / "seeds" / f"{seed}.csv"
            # The code of Namibia is no null.
            connection.execute(f"create table {seed} as from read_csv('{path}', header = true, all_varchar = true, nullstr = '')")
        connection.execute(
            "create table given as select country_name as v from countries union select country_name from country_names"
        )
        connection.executemany("insert into given values (?)", [[name] for name in NAMES])
        package = Package(connection, "engine", "format")
        return dict(connection.execute(f"select v, {package.country_named('v')} from given").fetchall())


def test_a_country_is_read_from_its_usual_names(read: dict[str | None, str | None]) -> None:
    assert {name: read[name] for name in NAMES} == NAMES


def test_a_language_is_read_from_its_name() -> None:
    names = {"German": "de", "Deutsch ": "de", "fran\N{LATIN SMALL LETTER C WITH CEDILLA}ais": "fr", "German - Austria": "de",
             "English (UK)": "en", "de-AT": "de-AT", "Klingon": "Klingon", "": None, None: None}  # fmt: skip
    with duckdb.connect() as connection:
        connection.execute("create table given (v varchar)")
        connection.executemany("insert into given values (?)", [[name] for name in names])
        sql = Package(connection, "engine", "format").language_named("v")
        assert dict(connection.execute(f"select v, {sql} from given").fetchall()) == names


def test_every_country_is_read_from_each_of_its_names(read: dict[str | None, str | None]) -> None:
    countries, names = (list(csv.DictReader((ROOT / "seeds" / f"{seed}.csv").open())) for seed in ("countries", "country_names"))
    assert {row["country_code"]: read[row["country_name"]] for row in countries} == {
        row["country_code"]: row["country_code"] for row in countries
    }
    # Letters to these islands bear the name of another country.
    own = [row for row in names if row["country_code"] not in ("AX", "GG", "JE")]
    assert {row["country_name"]: row["country_code"] for row in own if read[row["country_name"]] != row["country_code"]} == {}
