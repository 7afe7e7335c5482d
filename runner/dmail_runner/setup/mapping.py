"""Maps the columns of a customer table to those of the profiles, by their names."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import duckdb

from dmail_runner.core.errors import ExtractError, UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.project.manifest import Manifest
from dmail_runner.project.target import find_warehouse
from dmail_runner.project.warehouse import quote, session

# The columns of profiles in order, and their names in customer tables. The first name that a table has is used.
NAMES = {
    target: names.split()
    for target, names in {
        "profile_id": "profile_id customer_id id contact_id record_id person_id user_id member_id account_id klaviyo_id "
        "customer_key",
        "title": "title salutation honorific prefix name_prefix",
        "first_name": "first_name firstname given_name name_given forename fname first",
        "last_name": "last_name lastname family_name name_family surname lname last full_name name customer_name",
        "company": "company company_name organization organisation organization_name account_name business_name",
        "address_line1": "address_line1 address_line_1 address1 address_1 street street_address street1 street_1 street_line1 "
        "line1 address",
        "address_line2": "address_line2 address_line_2 address2 address_2 street2 street_2 street_line2 line2 apartment unit",
        "city": "city town locality city_name place",
        "region": "region state province state_code province_code region_code state_province state_region county",
        "postal_code": "postal_code postcode post_code zip zip_code zipcode postalcode postal",
        "country_code": "country_code country_iso country_iso_code country country_region",
        "postal_mail_consent": "postal_mail_consent direct_mail_consent accepts_direct_mail mail_ok mailing_consent "
        "direct_mail_opt_in postal_opt_in mail_opt_in",
        "marketing_consent": "marketing_consent accepts_marketing marketing_opt_in opt_in_marketing marketing_ok",
        "is_test_profile": "is_test_profile is_test is_test_account test_account is_internal is_staff staff",
    }.items()
}
NEEDED = ("profile_id", "last_name", "address_line1", "city", "postal_code")
# Prefixes of columns. An address for mailings is preferred to one for invoices.
PREFIXES = (
    *("mailing_", "shipping_", "delivery_", "default_address_", "default_", "primary_", "home_", "address_"),
    *("billing_", "customer_", "contact_"),
)
FULL_NAMES = ("full_name", "name", "customer_name")
# A column with the refusals of letters, or of all marketing.
REFUSAL = re.compile(
    r"(direct_mail_|postal_|mail_|mailing_|marketing_)?(opt_?out|opted_out|do_not_(mail|contact)|no_mail|refused)(_mail)?"
)
TEXT = re.compile(r"varchar|char|text|string|enum|uuid", re.IGNORECASE)


@dataclass(frozen=True)
class Relation:
    """A model or source of the project.

    Attributes:
        code: the reference in models, such as `ref('dim_customers')`.
        columns: the types of its columns in the warehouse, by name.
    """

    code: str
    columns: dict[str, str]


def find_relation(settings: Settings, manifest: Manifest, code: str) -> Relation:
    """Find a model or a source, and read its columns from the warehouse.

    Args:
        code: a model's name, `ref('NAME')`, `ref('PACKAGE', 'NAME')` or `source('SOURCE', 'TABLE')`.

    Raises:
        UsageError: if there is no such model or source, or it is not built.
    """
    parts = re.fullmatch(r"(?:(ref|source)\()?\s*((?:['\"]?\w+['\"]?\s*,\s*)?['\"]?\w+['\"]?)\s*\)?", code.strip())
    if not parts:
        raise UsageError(f"{code!r} is not a model or a source", todo="write ref('dim_customers') or source('crm', 'customers')")
    names = [name.strip(" '\"") for name in parts[2].split(",")]
    kind = parts[1] or "ref"
    nodes = [*manifest.nodes.values()] if kind == "ref" else [*manifest.sources.values()]
    found = [node for node in nodes if fits(node, kind, names)]
    if len(found) != 1:
        known = sorted(node["name"] for node in nodes if node["resource_type"] in ("model", "seed", "snapshot", "source"))
        what = "several models are" if found else "no model or source is"
        raise UsageError(f"{what} {code}", todo=f"the project has {', '.join(known) or 'none'}")
    relation = found[0]["relation_name"]
    try:
        with session(find_warehouse(settings)) as connection:
            described = connection.execute(f"describe select * from {relation}").fetchall()
    except (duckdb.Error, ExtractError):
        raise UsageError(
            f"the columns of {relation} cannot be read: it is not built in this target, or its database is not attached",
            todo=f"dbt build --select +{names[-1]}, then try again",
        ) from None
    written = ", ".join(f"'{name}'" for name in names)
    return Relation(f"{kind}({written})", {row[0]: row[1] for row in described})


def fits(node: "dict[str, object]", kind: str, names: Sequence[str]) -> bool:
    """Whether a node is the one that a call refers to."""
    if kind == "source":
        return [node["source_name"], node["name"]] == list(names)
    return (
        node["resource_type"] in ("model", "seed", "snapshot")
        and node["name"] == names[-1]
        and names[:-1] in ([], [node["package_name"]])
    )


def place(columns: Sequence[str]) -> dict[str, str]:
    """Find the table's column for each column of profiles. Those without one are left out.

    Names are compared without case, and with camelCase split. A name with one of PREFIXES counts after the same name without.
    """
    placed = place_named(columns, NAMES)
    if placed.get("last_name") and snake_case(placed["last_name"]) in FULL_NAMES and "first_name" in placed:
        del placed["last_name"]
    return placed


def place_named(columns: Sequence[str], wanted: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Find a column for each wanted one, whose names are given. No column is used twice."""
    plain = {snake_case(column): column for column in reversed(columns)}
    placed: dict[str, str] = {}
    for target, names in wanted.items():
        candidates = (f"{prefix}{name}" for prefix in ("", *PREFIXES) for name in names)
        found = next((plain[name] for name in candidates if name in plain and plain[name] not in placed.values()), None)
        if found:
            placed[target] = found
    return placed


def snake_case(name: str) -> str:
    """A column's name in lower case with underscores: `firstName` and `First Name` become `first_name`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def mapping_lines(
    relation: Relation, country: str, given: Mapping[str, str] = MappingProxyType({}), *, more: bool = False
) -> Iterator[str]:
    """The lines of the mapping's select list. A comment marks the columns that were not placed.

    Args:
        relation: the table.
        country: ISO 3166-1 alpha-2, the country of rows without one.
        given: SQL by column of profiles, in place of a column of the table.
        more: whether other columns follow.
    """
    placed = place(list(relation.columns))
    for target in NAMES:
        column = placed.get(target)
        if target in given:
            sql = f"{{{{ dmail.clean_text({as_argument(given[target])}) }}}}"
        else:
            sql = expression(target, column, relation.columns[column], country) if column else missing(target, country)
        if target == "postal_mail_consent":
            sql = with_refusals(sql, relation)
        note = "" if column or target in given or sql.startswith("case") else reminder(target)
        if target == "last_name" and column and snake_case(column) in FULL_NAMES:
            note = " -- the full name"
        yield f"            {sql} as {target}{',' if more or target != 'is_test_profile' else ''}{note}"


def expression(target: str, column: str, kind: str, country: str) -> str:
    """SQL for a column of profiles from a column of the table."""
    name, argument = written(column, kind)
    if target == "is_test_profile":
        return f"coalesce({name}, false)" if kind.lower() == "boolean" else f"{{{{ dmail.is_yes({argument}) }}}}"
    if target.endswith("_consent"):
        return f"{{{{ dmail.consent_value({argument}) }}}}"
    if target == "country_code":
        return f"coalesce({{{{ dmail.country_named({argument}) }}}}, '{country}')"
    as_text = name if TEXT.match(kind) else f"cast({name} as string)"
    return as_text if target == "profile_id" else f"{{{{ dmail.clean_text({argument}) }}}}"


def written(column: str, kind: str) -> tuple[str, str]:
    """A column in SQL, and as the argument of a macro that reads text."""
    name = column if re.fullmatch(r"[a-z_][a-z0-9_]*", column) else quote(column)
    return name, as_argument(name if TEXT.match(kind) else f"cast({name} as string)")


def as_argument(sql: str) -> str:
    """SQL as a text in Jinja."""
    return f"'{sql}'" if '"' in sql and "'" not in sql else json.dumps(sql, ensure_ascii=False)


def with_refusals(consent: str, relation: Relation) -> str:
    """SQL for a consent that a column such as `opt_out` overrides."""
    refused = [written(column, relation.columns[column])[1] for column in refusals(relation)]
    if not refused:
        return consent
    tests = " or ".join(f"{{{{ dmail.is_yes({argument}) }}}}" for argument in refused)
    return f"case when {tests} then 'n' else {consent} end"


def refusals(relation: Relation) -> list[str]:
    """The columns with the refusals of letters, or of all marketing."""
    return [column for column in relation.columns if REFUSAL.fullmatch(snake_case(column))]


def missing(target: str, country: str) -> str:
    """SQL for a column of profiles that the table does not have."""
    if target == "is_test_profile":
        return "false"
    return f"'{country}'" if target == "country_code" else "cast(null as string)"


def reminder(target: str) -> str:
    """A comment about a column that was not found, with the decision that a person must make."""
    if target in NEEDED:
        return " -- TODO: no column was found, and every letter needs it"
    if target == "postal_mail_consent":
        return " -- TODO: no column was found; who has refused letters?"
    return " -- no column was found"
