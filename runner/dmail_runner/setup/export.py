"""A new project's profiles from the customer export of a shop, a CRM or a marketing tool."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dmail_runner.core.duck import connect
from dmail_runner.core.errors import UsageError
from dmail_runner.core.suggest import known_names
from dmail_runner.core.yaml import read_yaml
from dmail_runner.project.warehouse import literal
from dmail_runner.setup.draft import LINES, OPTIONAL, PRINTED, STARTER
from dmail_runner.setup.mapping import NEEDED, Relation, mapping_lines, place, place_named, refusals, written

EXPORTS = STARTER / "exports"
# The columns of stg_profiles that the mapping of customers does not have: their types, and their names in exports.
MORE = {
    "language": ("string", "language preferred_language locale language_code"),
    "created_at": ("timestamp", "created_at created_date create_date date_created profile_created_on created registered_at"),
    "updated_at": ("timestamp", "updated_at last_modified_date last_modified modified_at updated date_updated"),
    "last_order_at": ("timestamp", "last_order_at last_order_date last_order last_purchase_date last_purchase"),
    "orders_count": ("integer", "orders_count total_orders order_count number_of_orders orders"),
    "lifetime_value": ("decimal(18, 2)", "lifetime_value total_spent total_revenue customer_lifetime_value amount_spent"),
}


@dataclass(frozen=True)
class Export:
    """The columns of an export.

    Attributes:
        label: the system, or the name of the file.
        header: the columns in order.
        sql: SQL for columns of profiles that are not simply a column of the export.
        unused: columns whose names mislead.
        without: a column that is true for rows to leave out; "" if there is none.
    """

    label: str
    header: tuple[str, ...]
    sql: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    without: str = ""

    @property
    def relation(self) -> Relation:
        """The export as a table of text, which is what CSV files are read as."""
        return Relation(self.label, {name: "VARCHAR" for name in self.header if name not in self.unused})

    @property
    def more(self) -> dict[str, str]:
        """The export's column for each column of MORE that it has."""
        return place_named(list(self.relation.columns), {target: names.split() for target, (_, names) in MORE.items()})


def known_exports() -> list[str]:
    """The systems whose exports are known by name."""
    return sorted(path.stem for path in EXPORTS.iterdir())


def find_export(given: str) -> Export:
    """The export of a system, or of a file.

    Args:
        given: a name of `known_exports()`, or the path of a CSV or Parquet file, whose columns are read.

    Raises:
        UsageError: if it is neither.
    """
    if given in known_exports():
        known = read_yaml(EXPORTS / f"{given}.yml", f"{given}.yml")
        return Export(
            known["label"], tuple(known["header"]), known.get("sql", {}), tuple(known.get("unused", ())), known.get("without", "")
        )
    path = Path(given)
    if not path.is_file():
        raise UsageError(f"{given!r} is neither a file nor a known system; {known_names(given, known_exports())}")
    return Export(path.name, tuple(header_of(path)))


def header_of(path: Path) -> Iterator[str]:
    """The columns of a CSV or Parquet file. Raises UsageError."""
    read = "read_parquet" if path.suffix == ".parquet" else "read_csv"
    options = "" if path.suffix == ".parquet" else ", all_varchar = true, header = true"
    try:
        with connect() as connection:
            described = connection.execute(f"describe select * from {read}({literal(str(path.absolute()))}{options})").fetchall()
    except duckdb.Error:
        raise UsageError(
            f"the columns of {path} cannot be read", todo="give a CSV file with a header, in UTF-8, or a Parquet file"
        ) from None
    yield from (row[0] for row in described)


def files_of(export: Export, country: str) -> dict[str, str]:
    """The files of a new project that depend on the export, by path: source, profiles, and an empty list of suppressions.

    Args:
        country: ISO 3166-1 alpha-2, the country of rows without one.
    """
    columns = export.more
    given = {
        "label": export.label,
        "lines": [*profile_lines(export, country)],
        "without": written(export.without, "VARCHAR")[1] if export.without else "",
        "changed": scalar(written(columns["updated_at"], "VARCHAR")[0]) if "updated_at" in columns else "",
        "readable": [(scalar(columns[name]), kind) for name, (kind, _) in MORE.items() if name in columns and kind != "string"],
    }
    folders = {"data": "suppressions.csv", "models/staging": "stg_profiles.sql _crm__sources.yml"}
    return {
        f"{folder}/{name}": LINES.from_string((STARTER / "export" / name).read_text(encoding="utf-8")).render(given)
        for folder, names in folders.items()
        for name in names.split()
    }


def profile_lines(export: Export, country: str) -> Iterator[str]:
    """The lines of the select list of stg_profiles. A comment marks the columns that were not placed."""
    placed = place(list(export.relation.columns))
    # Spreadsheets put an apostrophe before long numbers.
    key = {"profile_id": written(placed["profile_id"], "VARCHAR")[0]} if "profile_id" in placed else {}
    yield from mapping_lines(export.relation, country, {**key, **export.sql}, more=True)
    for target, (kind, _) in MORE.items():
        yield f"            {typed(export, target, kind)} as {target}{'' if target == 'lifetime_value' else ','}"


def typed(export: Export, target: str, kind: str) -> str:
    """SQL for a column of MORE."""
    if (column := export.more.get(target)) is None:
        return f"cast(null as {kind})"
    argument = written(column, "VARCHAR")[1]
    if target == "language":
        return f"{{{{ dmail.language_named({argument}) }}}}"
    return f"{{{{ dmail.clean_text({argument}) }}}}" if kind == "string" else f'{{{{ dmail.read_as({argument}, "{kind}") }}}}'


def scalar(text: str) -> str:
    """A text as a YAML scalar."""
    return text if re.fullmatch(r"[a-z_]+", text) else "'" + text.replace("'", "''") + "'"


def printed(export: Export) -> tuple[str, ...]:
    """The columns that the first campaign may use: those of every letter, and the optional ones that the export has."""
    placed = {**place(list(export.relation.columns)), **export.more, **export.sql}
    return (*PRINTED, *(column for column in OPTIONAL if column in placed))


def unplaced(export: Export) -> list[str]:
    """The columns of profiles that every letter needs, or that say who has refused letters, and that were not found."""
    placed = {**place(list(export.relation.columns)), **export.sql}
    consent = () if refusals(export.relation) else ("postal_mail_consent",)
    return [name for name in (*NEEDED, *consent) if name not in placed]
