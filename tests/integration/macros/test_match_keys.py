"""The keys by which people are recognised: spellings of one name and address, and people who must not be taken for one."""

import unicodedata
from collections.abc import Callable

import duckdb
import pytest

Keys = tuple[str | None, str | None, str | None]
Fields = dict[str, str | None]
Keyed = Callable[..., list[Keys]]
FIELDS = ("first_name", "last_name", "company", "address_line1", "address_line2", "city", "postal_code", "country_code")
PERSON = {"first_name": "Fay", "last_name": "Smith", "address_line1": "5 Elm St", "postal_code": "02134", "country_code": "US"}

STREETS = [
    ("12 N Oak Ave", "12 North Oak Avenue"), ("8th St", "Eighth Street"), ("5 Lake Hwy", "5 Lake Highway"), ("5 Elm Pkwy", "5 Elm Parkway"),
    ("5 Elm Cir", "5 Elm Circle"), ("5 Mt Vernon St", "5 Mount Vernon Street"), ("5 Saint Paul Rd", "5 St. Paul Road"),
    ("5 Ft Hill Rd", "5 Fort Hill Rd."), ("5 Elm St SW", "5 Elm Street Southwest"), ("5 Elm St S.W.", "5 Elm St SW"),
    ("5 SE Elm St", "5 South East Elm St"), ("5 Elm St Apt 4-B", "5 Elm St #4B"), ("5 Elm St, 2nd Fl", "5 Elm St Floor 2"),
    ("5 Elm St Unit 4 B", "5 Elm St, Apartment 4-B"), ("PO Box 17", "P.O. Box 17"), ("P O Box 17", "POB 17"),
    ("Post Box 17", "Post Box 17"), ("RR 2 Box 15", "Rural Route 2 Box 15"), ("R.R. 2 Box 15", "RFD 2, Box 15"),
    ("HC 68 Box 23A", "Highway Contract 68 Box 23-A"), ("One Main St", "1 Main Street"), ("23rd St", "Twenty-Third Street"),
    ("5 Twentieth Ave", "5 20th Ave"), ("5 Elm Ter", "5 Elm Terrace"), ("5 Elm Trl", "5 Elm Trail"), ("5 Elm Xing", "5 Elm Crossing"),
    ("CR 5", "County Road 5"), ("5 O'Brien Ln", "5 OBrien Lane"), ("5 Elm St Rear", "5 Elm Street, rear"), ("5 Elm St Ste 300", "5 Elm St Suite 300"),
    ("c/o Jane Doe, 5 Elm St", "5 Elm Street"), ("5 Elm St c/o Jane Doe", "5 Elm St"), ("5 ELM ST.", "5  elm   st"),
]  # fmt: skip
FOREIGN = [
    ("DE", "Hauptstr. 5", "Hauptstraße 5"), ("DE", "Karl-Marx-Str. 5", "Karl Marx Strasse 5"), ("DE", "Am Pl. 5a", "Am Platz 5 a"),
    ("DE", "Müllerstr. 5", "Muellerstrasse 5"), ("DE", "Postfach 17", "Postfach 17"), ("AT", "Lange G. 5", "Lange Gasse 5"),
    ("FR", "5 bd Voltaire", "5 boulevard Voltaire"), ("FR", "5 av. de l'Opéra", "5 avenue de l\u2019Opera"), ("FR", "5 r. du Bac", "5 rue du Bac"),
    ("ES", "C/ Mayor 5, 2º", "Calle Mayor, 5, 2"), ("ES", "Avda. de América 5", "Avenida America 5"), ("ES", "Pza. Mayor 5", "Plaza Mayor 5"),
    ("IT", "V.le Monza 5", "Viale Monza, 5"), ("IT", "P.zza Roma 5", "Piazza Roma 5"), ("IT", "C.so Italia 5", "Corso Italia 5"),
    ("BR", "R. Augusta, 100", "Rua Augusta 100"), ("PT", "Av. da Liberdade, 5", "Avenida da Liberdade 5"), ("PT", "Tv. do Carmo 5", "Travessa do Carmo 5"),
    ("NL", "Kerkstr. 5", "Kerkstraat 5"), ("BE", "Kerkstraat 5 bus 2", "Kerkstraat 5, bus 2"), ("PL", "ul. Długa 5", "Dluga 5"),
    ("PL", "al. Solidarności 5", "Aleja Solidarnosci 5"), ("DK", "Park Vej 5", "Parkvej 5"), ("NO", "Kirke gt. 5", "Kirke gate 5"),
    ("SE", "Stora gatan 5", "Stora g 5"),
]  # fmt: skip
PERSONS: list[tuple[Fields, Fields]] = [
    ({"first_name": "Fay"}, {"first_name": "Fay M."}), ({"first_name": "Fay"}, {"first_name": "Fay Marie"}), ({"first_name": "Mary Ann"}, {"first_name": "Mary-Ann"}),
    ({"last_name": "Müller"}, {"last_name": "MUELLER"}), ({"last_name": "O'Neil"}, {"last_name": "ONeil"}), ({"last_name": "Weiß"}, {"last_name": "Weiss"}),
    ({"last_name": "Smith Jr."}, {"last_name": "Smith", "first_name": "Fay Jr"}), ({"last_name": "Smith, MD"}, {"last_name": "Smith"}),
    ({"first_name": "Dr. Fay"}, {"first_name": "Fay"}), ({"last_name": "Smith-Jones"}, {"last_name": "Smith Jones"}),
    ({"first_name": None, "last_name": "Fay Smith"}, {}), ({"last_name": "Smith Sr."}, {"last_name": "Smith"}),
]  # fmt: skip
OTHER_PERSONS: list[tuple[Fields, Fields]] = [
    ({"last_name": "Smith Jr."}, {"last_name": "Smith"}), ({"last_name": "Smith III"}, {"last_name": "Smith Jr"}), ({"first_name": "Ann"}, {"first_name": "Fay"}),
    ({"first_name": "Mary Ann"}, {"first_name": "Mary Jane"}), ({"first_name": "Jean-Paul"}, {"first_name": "Jean-Luc"}),
]  # fmt: skip
OTHER_STREETS = [
    ("5 Elm St", "6 Elm St"), ("5 Elm St", "5 Elm Ave"), ("5 N Elm St", "5 S Elm St"), ("5 Elm St #4", "5 Elm St #5"), ("5 Elm St Apt C", "5 Elm St Apt D"),
    ("PO Box 17", "PO Box 18"), ("8th St", "80th St"), ("23 Elm St", "20 Elm St"), ("5 Elm St", "5 Elm St Rear"), ("RR 1 Box 15", "RR 2 Box 15"),
]  # fmt: skip


@pytest.fixture(scope="module")
def keyed(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection) -> Keyed:
    def keys(people: list[Fields], name: str = "keys") -> list[Keys]:
        seeded.execute(f"create or replace temp table people (nr integer, {', '.join(f'{field} varchar' for field in FIELDS)})")
        rows = [[nr, *({**PERSON, **person}.get(field) for field in FIELDS)] for nr, person in enumerate(people)]
        seeded.executemany(f"insert into people values ({', '.join('?' * (len(FIELDS) + 1))})", rows)
        return seeded.execute(f"select person_key, household_key, address_key from ({match_sql[name]}) order by nr").fetchall()

    return keys


def pairs(keyed: Keyed, ones: list[Fields], others: list[Fields]) -> list[tuple[Fields, Keys, Fields, Keys]]:
    found = keyed(ones + others)
    return list(zip(ones, found[: len(ones)], others, found[len(ones) :], strict=True))


def test_spellings_of_one_street(keyed: Keyed) -> None:
    ones, others = ([{"address_line1": pair[side]} for pair in STREETS] for side in (0, 1))
    assert [(one, other) for one, its, other, theirs in pairs(keyed, ones, others) if its != theirs] == []


def test_spellings_of_one_street_in_other_languages(keyed: Keyed) -> None:
    """Composed and decomposed characters alike."""
    ones, others = ([{"country_code": row[0], "address_line1": row[side]} for row in FOREIGN] for side in (1, 2))
    split = [{**one, "address_line1": unicodedata.normalize("NFD", str(one["address_line1"]))} for one in ones]
    assert [(one, other) for one, its, other, theirs in pairs(keyed, ones, others) if its != theirs] == []
    assert [one for one, its, _, theirs in pairs(keyed, ones, split) if its != theirs] == []


def test_spellings_of_one_person(keyed: Keyed) -> None:
    found = pairs(keyed, [one for one, _ in PERSONS], [other for _, other in PERSONS])
    assert [(one, other) for one, its, other, theirs in found if its[0] != theirs[0]] == []


def test_members_of_a_household_are_not_one_person(keyed: Keyed) -> None:
    found = pairs(keyed, [one for one, _ in OTHER_PERSONS], [other for _, other in OTHER_PERSONS])
    assert [(one, other) for one, its, other, theirs in found if its[0] == theirs[0] or its[1:] != theirs[1:]] == []


def test_other_addresses(keyed: Keyed) -> None:
    ones, others = ([{"address_line1": pair[side]} for pair in OTHER_STREETS] for side in (0, 1))
    assert [(one, other) for one, its, other, theirs in pairs(keyed, ones, others) if set(its) & set(theirs)] == []


def test_the_unit_can_be_in_either_line(keyed: Keyed) -> None:
    lines = [
        ("5 Elm St", "Apt 4-B"), ("5 Elm St Apt 4B", None), ("5 Elm St", "#4b"), ("Apt 4B", "5 Elm Street"), ("5 Elm St", "Sunny Court, Unit 4B"),
        ("5 Elm St Apt 4B", "c/o Jane Doe"), ("c/o Jane Doe", "5 Elm St Apt 4B"), ("5 Elm St, Apartment 4-B", None),
    ]  # fmt: skip
    found = keyed([{"address_line1": line1, "address_line2": line2} for line1, line2 in lines])
    assert [lines[nr] for nr, keys in enumerate(found) if keys != found[-1]] == []


def test_an_unknown_person_or_street_has_no_key(keyed: Keyed) -> None:
    nobody: Fields = {"first_name": None, "last_name": None}
    unknown, homeless, firm, same = keyed(
        [nobody, {"address_line1": None}, {**nobody, "company": "Acme, Inc."}, {**nobody, "company": "ACME Inc"}]
    )
    assert unknown[:2] == (None, None)
    assert homeless == (None, None, None)
    assert firm[0] is not None
    assert firm == same


def test_names_in_any_order_only_where_told(keyed: Keyed) -> None:
    people: list[Fields] = [{}, {"first_name": "Smith", "last_name": "Fay"}]
    for name, alike in {"keys": False, "keys_told": True}.items():
        one, swapped = keyed(people, name)
        assert (one[0] == swapped[0]) is alike


def test_a_key_tells_its_version(keyed: Keyed) -> None:
    assert all(key is not None and key.startswith("v2-") and len(key) == 19 for key in keyed([{}])[0])
