"""Checks the columns that a campaign's declaration names: those of the file's order, of seeds, and of materials."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.yaml import parse
from dmail_runner.declare.campaign import SEED, DirectMail
from dmail_runner.declare.file_spec import FileSpec
from dmail_runner.declare.sort_key import CONTAINER, LEVEL, SEQUENCE


def named_columns(
    mail: DirectMail | None,
    given: Any,
    extract: Mapping[str, Any],
    recipients: Mapping[str, Any] | None,
    where: tuple[str, str],
) -> Iterator[Problem]:
    """The errors of columns that a declaration names.

    Args:
        mail: the declaration; None if it has errors.
        given: the declaration as YAML has it.
        extract: the extract, as in dbt's manifest.
        recipients: the recipients; None if they have errors.
        where: the file and the key of the declaration.
    """
    if options := mail.file if mail else file_of(given):
        yield from check_columns(list(extract["columns"]), options, *where)
    if mail and recipients:
        yield from check_materials([*extract["columns"], *recipients["columns"]], mail, *where)


def file_of(given: Any) -> FileSpec | None:
    """The file of a delivery that has errors elsewhere, so that all errors are reported at once. None if it has errors itself."""
    try:
        found: FileSpec = parse(FileSpec, given["file"], "", "")
    except (ConfigError, LookupError, TypeError):
        return None
    return found


def check_columns(names: Sequence[str], options: FileSpec, file: str, key: str) -> Iterator[Problem]:
    """The errors of columns that the delivery's file names and the extract, which has the columns `names`, does not have."""
    if options.plan:
        missing = [name for name in (LEVEL, CONTAINER, SEQUENCE) if name not in names]
        if missing:
            what = f"the extract has no column {', '.join(missing)}, which dmail.{options.plan}() adds"
            yield Problem(file, f"{key}.file.sort_by", what, "docs/howto/sort-plans.md")
        return
    for sort_key in options.sort_by:
        if sort_key.column not in names:
            yield Problem(file, f"{key}.file.sort_by", f"the extract has no column {sort_key.column!r}", ", ".join(names))
    if options.seeds != "mixed" and SEED not in names:
        yield Problem(file, f"{key}.file.seeds", f"the extract has no column {SEED}, which marks the seeds", "mixed")


def check_sort_plan(mail: DirectMail | None, calls: Callable[[str], bool], file: str, key: str) -> Iterator[Problem]:
    """The error of a sort plan whose macro no model calls. `calls`: whether a model of the campaign calls a macro."""
    if mail and (plan := mail.file.plan) and not calls(plan):
        what = f"the file is to be sorted by {plan}, and no model of the campaign calls dmail.{plan}()"
        yield Problem(file, f"{key}.file.sort_by", what, "docs/howto/sort-plans.md")


def check_materials(names: Collection[str], mail: DirectMail, file: str, key: str) -> Iterator[Problem]:
    """The errors of columns that `materials` names and that neither extract nor recipients have. `names`: their columns."""
    for number, material in enumerate(mail.materials):
        if material.by and material.by not in names:
            what = f"neither the extract nor the recipients have a column {material.by!r}"
            yield Problem(file, f"{key}.materials[{number}].by", what, ", ".join(dict.fromkeys(names)))
