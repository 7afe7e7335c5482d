"""Made-up rows of a campaign's file, from the unit tests of its extract, and the address in the window of the envelope."""

from collections.abc import Iterator, Mapping, Sequence

from dmail_runner.project.manifest import Manifest

Row = Mapping[str, str]
# The columns of an address that is not printed as a block, line by line.
LINES = (
    ("full_name",),
    ("company",),
    ("address_line1",),
    ("address_line2",),
    ("address_line3",),
    ("city", "region", "postal_code"),
    ("country",),
)
WHERE = frozenset(("address_line1", "city"))  # without one of these, it is no address


def specimens(manifest: Manifest, extract: str) -> list[Row]:
    """The rows that the unit tests of an extract expect, the fullest one first, without empty values. They are made up."""
    name, found = manifest.nodes[extract]["name"], list[Row]()
    for test in manifest.unit_tests.values():
        rows = test.get("expect", {}).get("rows")
        if test.get("model") == name and isinstance(rows, list):
            found += [{column: str(value) for column, value in row.items() if value not in (None, "")} for row in rows]
    return sorted(found, key=len, reverse=True)


def examples(rows: Sequence[Row]) -> dict[str, str]:
    """A value of each column, of the fullest row that has one."""
    return {column: value for row in reversed(rows) for column, value in row.items()}


def window(rows: Sequence[Row], blocks: Sequence[str]) -> tuple[str, ...]:
    """The lines of an address in the window of an envelope, of the fullest row that has one; none if no row has one.

    Args:
        rows: made-up rows, the fullest one first.
        blocks: the columns that have one line of a block each, in the order of the file; empty if the file has none.
    """
    for row in rows:
        if lines := tuple(row[name] for name in blocks if name in row) if blocks else tuple(lines_of(row)):
            return lines
    return ()


def lines_of(row: Row) -> Iterator[str]:
    """The lines of an address in columns of its parts."""
    if WHERE & row.keys():
        yield from filter(None, (" ".join(row[name] for name in names if name in row) for names in LINES))


def block_columns(made_by: Mapping[str, str | None]) -> list[str]:
    """The columns that `address_block()` writes. `made_by`: the expression of each column, in the order of the file."""
    return [name for name, made in made_by.items() if made and made.startswith("address_block(")]
