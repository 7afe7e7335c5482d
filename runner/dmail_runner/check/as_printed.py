"""Changes the values of the extract to the text that the file prints, before anything compares or counts them."""

from dataclasses import replace

import duckdb

from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import KEY, Campaign
from dmail_runner.declare.file_format import FixedWidthFormat
from dmail_runner.extract.format_sql import Format, folded
from dmail_runner.project.warehouse import printed, quote


def as_printed(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign, file_format: Format) -> Build:
    """The build with an extract whose texts are those of the file, so that rows that print identically are equal.

    A letter and its accent are one character (Unicode NFC), if there is one, and line breaks are folded, unless the format keeps
    them. The key stays as it is. So do columns without such a value: finding that out is cheaper than changing each value.
    """
    folds = isinstance(file_format, FixedWidthFormat) or file_format.newlines == "fold"
    names = [column.name for column in campaign.exported if column.name != KEY]
    if not names:
        return build
    checks = ", ".join(f"coalesce(bool_or({is_changed(name, folds=folds)}), false)" for name in names)
    found = connection.execute(f"select {checks} from {build.extract}").fetchone() or ()
    changed = [name for name, differs in zip(names, found, strict=True) if differs]
    if not changed:
        return build
    fields = ", ".join(f"{text_in_file(name, folds=folds)} as {quote(name)}" for name in changed)
    return replace(build, extract=f"(select * replace ({fields}) from {build.extract})")


def is_changed(name: str, *, folds: bool) -> str:
    """SQL that is true if a column's value is printed otherwise than it is."""
    text = printed(name)
    # Text in ASCII has no accents, and most text is in ASCII.
    decomposed = f"case when strlen({text}) <> length({text}) then {text} <> nfc_normalize({text}) end"
    return f"{decomposed} or contains({text}, chr(10)) or contains({text}, chr(13))" if folds else decomposed


def text_in_file(name: str, *, folds: bool) -> str:
    """SQL for a column's text as the file prints it, without quotes and padding."""
    text = f"nfc_normalize({printed(name)})"
    return folded(text) if folds else text
