"""The columns of a customer table become those of the profiles."""

import pytest

from dmail_runner.setup.mapping import NAMES, Relation, mapping_lines, place

TABLES = {
    "snake case": {
        "customer_id": "profile_id", "first_name": "first_name", "last_name": "last_name", "street": "address_line1",
        "city": "city", "state": "region", "zip": "postal_code", "country": "country_code", "accepts_marketing": "marketing_consent",
    },
    "camel case and blanks": {
        "customerId": "profile_id", "firstName": "first_name", "Last Name": "last_name", "streetAddress": "address_line1",
        "Mailing City": "city", "Postal Code": "postal_code",
    },
    "two addresses": {
        "id": "profile_id", "name": "last_name", "billing_street": None, "shipping_street": "address_line1", "billing_city": None,
        "shipping_city": "city", "billing_postcode": "postal_code",
    },
    "a full name beside its parts": {"contact_id": "profile_id", "first_name": "first_name", "name": None},
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_placed_by_their_names(table: str) -> None:
    wanted = {target: column for column, target in TABLES[table].items() if target}
    assert place(list(TABLES[table])) == wanted


def lines(**columns: str) -> dict[str, str]:
    """The mapping's SQL by column of the profiles."""
    found = {}
    for line in mapping_lines(Relation("ref('c')", columns), "US"):
        sql, _, comment = line.strip().partition(" -- ")
        expression, _, target = sql.rstrip(",").rpartition(" as ")
        found[target] = f"{expression} -- {comment}" if comment else expression
    return found


def test_every_column_of_profiles_is_in_the_mapping() -> None:
    found = lines(id="BIGINT", surname="VARCHAR", zip="INTEGER")
    assert list(found) == list(NAMES)
    assert found["profile_id"] == "cast(id as string)"
    assert found["last_name"] == '{{ dmail.clean_text("surname") }}'
    assert found["postal_code"] == '{{ dmail.clean_text("cast(zip as string)") }}'
    assert found["city"] == "cast(null as string) -- TODO: no column was found, and every letter needs it"
    assert found["country_code"] == "'US' -- no column was found"
    assert found["is_test_profile"] == "false -- no column was found"


def test_a_refusal_overrides_a_consent() -> None:
    found = lines(id="VARCHAR", mail_ok="BOOLEAN", do_not_mail="BOOLEAN", OptOut="VARCHAR")
    refused = """{{ dmail.is_yes("cast(do_not_mail as string)") }} or {{ dmail.is_yes('"OptOut"') }}"""
    assert found["postal_mail_consent"] == (
        f"case when {refused} then 'n' else {{{{ dmail.consent_value(\"cast(mail_ok as string)\") }}}} end"
    )


def test_nobody_who_refused_is_overlooked_without_a_consent() -> None:
    assert lines(id="VARCHAR", opt_out="VARCHAR")["postal_mail_consent"] == (
        """case when {{ dmail.is_yes("opt_out") }} then 'n' else cast(null as string) end"""
    )
    assert "TODO" in lines(id="VARCHAR")["postal_mail_consent"]
