"""The lineage of a campaign's models and columns, from the manifest, and dbt's page of the complete lineage."""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmail_runner.core.errors import DmailError
from dmail_runner.core.settings import Settings
from dmail_runner.project.dbt_process import RunDbt
from dmail_runner.project.manifest import Manifest
from dmail_runner.project.warehouse import lock_warehouse

PAGE = "lineage.html"


@dataclass(frozen=True)
class Model:
    """A model, seed or source that an extract is built from.

    Attributes:
        name: its name.
        kind: dbt's resource type.
        description: the first sentence of its description.
        reads: the names of its parents.
        page: the address of its page in dbt's documentation.
    """

    name: str
    kind: str
    description: str
    reads: tuple[str, ...]
    page: str


def models_above(manifest: Manifest, extract: str) -> list[Model]:
    """The extract and everything that it is built from, sources first."""
    found: dict[str, Model] = {}

    def visit(unique_id: str) -> None:
        node = manifest.nodes.get(unique_id) or manifest.sources.get(unique_id)
        if node is None or unique_id in found:
            return
        above = parents(node)
        for parent in above:
            visit(parent)
        kind = node["resource_type"]
        found[unique_id] = Model(
            node["name"],
            kind,
            sentence(node["description"]),
            tuple(p.split(".")[-1] for p in above),
            f"{PAGE}#!/{kind}/{unique_id}",
        )

    visit(extract)
    return list(found.values())


def parents(node: Mapping[str, Any]) -> list[str]:
    """The ids of the nodes that a node reads. A source reads none."""
    return list(node.get("depends_on", {}).get("nodes", []))


def sentence(text: str) -> str:
    """The first sentence of a description."""
    return re.split(r"(?<=[.:]) |\n", text.replace("`", "").strip(), maxsplit=1)[0].rstrip(":")


def made_by(code: str, column: str) -> str | None:
    """A column's expression in the extract's SQL, or the macro that writes several columns; None if it spans several lines."""
    named = re.search(rf"^\s*(?:(\S.*?)\s+as\s+)?{re.escape(column)}\s*,?\s*$", code, re.MULTILINE)
    if named:
        return braceless(named[1] or column)
    for several in re.finditer(r"^\s*(\{\{\s*(?:\w+\.)?(\w+)\(.*\)\s*\}\})\s*,?\s*$", code, re.MULTILINE):
        if column.startswith(several[2]):
            return braceless(several[1])
    return None


def braceless(expression: str) -> str:
    """An expression without Jinja's braces and the package's name."""
    return re.sub(r"\bdmail\.(?=\w+\()|^\{\{\s*|\s*\}\}$", "", expression)


def origins(manifest: Manifest, extract: str, recipients: str, expression: str | None) -> list[str]:
    """The documented columns that an expression reads, such as `stg_profiles.last_name`, as far up the lineage as possible.

    The recipients are not followed: they only decide who is included.
    """
    words = dict.fromkeys(re.findall(r"\b[a-z_]\w*\b", expression or ""))
    found = (origin(manifest, extract, word, {recipients}, top=True) for word in words)
    return [column for column in found if column]


def origin(manifest: Manifest, unique_id: str, column: str, seen: set[str], *, top: bool = False) -> str | None:
    """The documented column that is farthest up the lineage; None if there is none. Visited nodes are added to `seen`."""
    node = manifest.nodes.get(unique_id) or manifest.sources.get(unique_id)
    if node is None or unique_id in seen:
        return None
    seen.add(unique_id)
    for parent in parents(node):
        if found := origin(manifest, parent, column, seen):
            return found
    return f"{node['name']}.{column}" if column in node["columns"] and not top else None


def examples(manifest: Manifest, extract: str) -> dict[str, str]:
    """The first value of each column that the unit tests of an extract expect. These values are made up."""
    found: dict[str, str] = {}
    for test in manifest.unit_tests.values():
        rows = test.get("expect", {}).get("rows")
        if test.get("model") != manifest.nodes[extract]["name"] or not isinstance(rows, list):
            continue
        for row in rows:
            for column, value in row.items():
                if value not in (None, "") and column not in found:
                    found[column] = str(value)
    return found


def write_lineage(settings: Settings, run_dbt: RunDbt, folder: Path, tell: Callable[[str], None]) -> Path:
    """Write dbt's documentation with the lineage as one page. Returns its path. Raises DmailError if dbt fails."""
    with lock_warehouse(settings, "documentation", tell):
        outcome = run_dbt(settings, ["docs", "generate", "--static"], settings.work_dir / "docs", {})
        if outcome.exit_code != 0:
            raise DmailError("dbt could not write the documentation:\n" + "\n".join(outcome.errors))
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / PAGE
        shutil.move(outcome.target / "static_index.html", page)
        shutil.rmtree(outcome.target, ignore_errors=True)
        return page
