"""A customer export becomes the profiles of a new project."""

from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
import yaml

from dmail_runner.core.errors import UsageError
from dmail_runner.project.warehouse import quote
from dmail_runner.setup.export import Export, files_of, find_export, known_exports, printed, unplaced
from project import ROOT
from rendered import Package

ROWS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "shopify": (
        {
            "Customer ID": "'8779761975521", "First Name": "Ann", "Last Name": "Lee", "Default Address Address1": "1 Main St",
            "Default Address City": "Boston", "Default Address Province Code": "MA", "Default Address Country Code": "US",
            "Default Address Zip": "'02134", "Total Spent": "12.50", "Total Orders": "3",
        },
        {
            "profile_id": "8779761975521", "first_name": "Ann", "last_name": "Lee", "address_line1": "1 Main St", "city": "Boston",
            "region": "MA", "country_code": "US", "postal_code": "02134", "orders_count": 3, "title": None,
            "postal_mail_consent": None,
        },
    ),
    "hubspot": (
        {
            "Record ID": "51", "First Name": "Uwe", "Last Name": "Maß", "Street Address": "Am Markt 1\nHof", "City": "Ulm",
            "Postal Code": "89073", "Country/Region": "Germany", "Last Modified Date": "2026-03-01 10:20",
        },
        {
            "profile_id": "51", "address_line1": "Am Markt 1", "address_line2": "Hof", "country_code": "DE", "postal_code": "89073",
            "updated_at": "2026-03-01 10:20:00",
        },
    ),
    "salesforce": (
        {
            "Id": "003x1", "IsDeleted": "0", "FirstName": "Jo", "LastName": "Poe", "Salutation": "Dr.", "Title": "Buyer",
            "MailingStreet": "9 Elm St\nSuite 4\nRear", "MailingCity": "Ames", "MailingState": "IA", "MailingPostalCode": "50010",
            "MailingCountry": "United States", "CreatedDate": "2024-01-02T03:04:05.000Z",
        },
        {
            "profile_id": "003x1", "title": "Dr.", "address_line1": "9 Elm St", "address_line2": "Suite 4 Rear", "region": "IA",
            "country_code": "US", "created_at": "2024-01-02 03:04:05",
        },
    ),
    "klaviyo": (
        {
            "Klaviyo ID": "01H", "First Name": "Li", "Last Name": "Wu", "Title": "CEO", "Organization": "Wu Ltd", "Address": "2 High St",
            "Address 2": "Flat 1", "City": "Leeds", "State / Region": "", "Country": "United Kingdom", "Zip Code": "LS1 1AA",
        },
        {
            "profile_id": "01H", "title": None, "company": "Wu Ltd", "address_line2": "Flat 1", "country_code": "GB",
            "postal_code": "LS1 1AA", "region": None,
        },
    ),
}  # fmt: skip


def profiles(export: Export, rows: list[dict[str, str]], country: str = "US") -> list[dict[str, Any]]:
    """What the model makes of rows of the export."""
    with duckdb.connect() as connection:
        connection.execute(f"create table country_names as from read_csv('{ROOT}/seeds/country_names.csv', all_varchar = true)")
        columns = ", ".join(f"{quote(name)} varchar" for name in export.header)
        connection.execute(f"create table customers ({columns})")
        for row in rows:
            values = [row.get(name) for name in export.header]
            connection.execute(f"insert into customers values ({', '.join('?' * len(values))})", values)
        package = Package(connection, "engine", "format")
        model = files_of(export, country)["models/staging/stg_profiles.sql"]
        sql = jinja2.Template(model).render(dmail=package, source=lambda *_: "customers")
        found = connection.execute(f"select cast(columns(*) as varchar) from ({sql})")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("system", ROWS)
def test_each_column_of_a_known_export_is_where_it_belongs(system: str) -> None:
    given, wanted = ROWS[system]
    (found,) = profiles(find_export(system), [given])
    assert {name: found[name] for name in wanted} == {
        name: value if value is None else str(value) for name, value in wanted.items()
    }


def test_all_known_exports_are_tried() -> None:
    assert known_exports() == sorted(ROWS)
    for system in ROWS:
        # None of them says who refuses letters: their consents are for email and telephone.
        assert unplaced(find_export(system)) == ["postal_mail_consent"]


def test_rows_that_are_deleted_in_the_system_are_left_out() -> None:
    given, _ = ROWS["salesforce"]
    assert len(profiles(find_export("salesforce"), [given, {**given, "Id": "003x2", "IsDeleted": "1"}])) == 1


def test_the_columns_of_a_file_are_read(tmp_path: Path) -> None:
    file = tmp_path / "it's.csv"
    file.write_text("Member ID;Name;Street;Town;Zip;Do Not Mail;Last Order Date\n7;Ann Lee;1 Main St;Ulm;02134;yes;2026-01-31\n")
    export = find_export(str(file))
    assert export.label == "it's.csv"
    assert "last_order_at" in printed(export)
    assert unplaced(export) == []
    (found,) = profiles(
        export, [{"Name": "Ann Lee", "Zip": "02134", "Do Not Mail": "yes", "Last Order Date": "2026-01-31"}], "DE"
    )
    assert (found["last_name"], found["country_code"], found["postal_mail_consent"]) == ("Ann Lee", "DE", "n")
    assert found["last_order_at"] == "2026-01-31 00:00:00"


def test_the_source_has_a_test_of_its_dates_and_numbers() -> None:
    source, _ = yaml.safe_load(files_of(find_export("hubspot"), "US")["models/staging/_crm__sources.yml"])["sources"][0]["tables"]
    assert source["config"]["loaded_at_field"] == '"Last Modified Date"'
    assert source["data_tests"][0]["dmail.readable"]["arguments"]["columns"] == {
        "Create Date": "timestamp", "Last Modified Date": "timestamp",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("shopfy", "did you mean shopify"),
        ("nothing.csv", "neither a file nor a known system"),
        ("broken.csv", "cannot be read"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UsageError, match=message):
        find_export(given)


def test_columns_with_quotes_and_braces_stay_columns() -> None:
    export = Export("x", ("id", 'First "Name"', "{{ last_name }}", "it's"))
    (found,) = profiles(export, [{"id": "1", 'First "Name"': "Ann", "{{ last_name }}": "Lee"}])
    assert (found["first_name"], found["last_name"]) == ("Ann", "Lee")
