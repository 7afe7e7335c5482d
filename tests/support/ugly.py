"""Names and addresses that are hard to print."""

import csv
from pathlib import Path

JOINED = "علی\u200cرضا"  # noqa: RUF001
UGLY = [
    # profile_id, first_name, last_name, address_line1, city, region, postal_code, country_code, what becomes of it
    ("numbers", "Ann", "Ray", "1 Main St", "Boston", "MA", "2134.0", "us", "02134"),
    ("nine digits", "Ann", "Zip", "1 Main St", "Boston", "MA", "021341234", "USA", "02134-1234"),
    ("Britain", "Ann", "Ray", "10 Downing St", "London", "", "sw1a2aa", "UK", "SW1A 2AA"),
    ("nowhere", "Ann", "Ray", "1 Main St", "Boston", "MA", "02134", "XX", None),
    ("foreign code", "Ann", "Ray", "1 Main St", "Boston", "MA", "SW1A 2AA", "US", None),
    ("no name", "", " ", "1 Main St", "Boston", "MA", "02134", "US", None),
    ("long", "N" * 300, "Ray", "1 Main St", "Boston", "MA", "02134", "US", "02134"),
    ("right to left", "נועה", "כהן", "שדרות רוטשילד 1", "תל אביב", "", "6688101", "IL", "6688101"),
    ("emoji", "🙂 Zoë\u200b", "Mc\u00adDonald", "2 Main St", "Boston", "MA", "02134", "US", "02134"),
    ("joiners", JOINED, "Ray", "3 Main St", "Boston", "MA", "02134", "US", "02134"),
    ("wrapped", "Ann\r\n", "Ray\x00\t", "4 Main\nSt", "Boston", "MA", "02134", "US", "02134"),
    ("'; drop table x; --", "Robert'); --", "O'Brien", "5 Main St", "Boston", "MA", "02134", "US", "02134"),
    ("{{ jinja }}", "{% x %}", "{{ y }}", "6 Main St", "Boston", "MA", "02134", "US", "02134"),
    ("=formula", "=1+1", "@SUM", "7 Main St", "Boston", "MA", "02134", "US", "02134"),
]


def write_ugly(path: Path, created: str, only: str = "") -> None:
    columns = [
        "profile_id",
        "title",
        "first_name",
        "last_name",
        "company",
        "address_line1",
        "address_line2",
        "city",
        "region",
        "postal_code",
        "country_code",
        "language",
        "postal_mail_consent",
        "marketing_consent",
        "is_test_profile",
        "created_at",
        "updated_at",
        "last_order_at",
        "orders_count",
        "lifetime_value",
    ]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        for key, first, last, line, city, region, code, country, _ in (row for row in UGLY if only in ("", row[0])):
            writer.writerow(
                {"profile_id": key, "first_name": first, "last_name": last, "address_line1": line, "city": city, "region": region}
                | {
                    "postal_code": code,
                    "country_code": country,
                    "language": "en",
                    "created_at": created,
                    "last_order_at": "2020-01-01",
                }
                | {"orders_count": "3", "lifetime_value": "9.99"}
            )
