"""Where a campaign's columns come from, as far as the manifest says; and dbt's own page of the lineage."""

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
from dmail_runner.project.warehouse import building

PAGE = "lineage.html"


@dataclass(frozen=True)
class Model:
    """A model, seed or source above an extract. `page`: where dbt's documentation shows it; `reads`: names of its parents."""

    name: str
    kind: str
    description: str
    reads: tuple[str, ...]
    page: str


def models_above(manifest: Manifest, extract: str) -> list[Model]:
    """The extract and everything that it is made of, sources first."""
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
    """The ids of what a node reads; a source reads nothing."""
    return list(node.get("depends_on", {}).get("nodes", []))


def sentence(text: str) -> str:
    """A description's first sentence."""
    return re.split(r"(?<=[.:]) |\n", text.replace("`", "").strip(), maxsplit=1)[0].rstrip(":")


def made_by(code: str, column: str) -> str | None:
    """A column's expression in the extract's SQL, where it stands on one line, or the macro that writes several columns."""
    named = re.search(rf"^\s*(?:(\S.*?)\s+as\s+)?{re.escape(column)}\s*,?\s*$", code, re.MULTILINE)
    if named:
        return braceless(named[1] or column)
    for several in re.finditer(r"^\s*(\{\{\s*(?:\w+\.)?(\w+)\(.*\)\s*\}\})\s*,?\s*$", code, re.MULTILINE):
        if column.startswith(several[2]):
            return braceless(several[1])
    return None


def braceless(expression: str) -> str:
    return re.sub(r"\bdmail\.(?=\w+\()|^\{\{\s*|\s*\}\}$", "", expression)


def origins(manifest: Manifest, extract: str, recipients: str, expression: str | None) -> list[str]:
    """The documented columns, farthest up, that an expression names: `stg_profiles.last_name`. The recipients only decide."""
    words = dict.fromkeys(re.findall(r"\b[a-z_]\w*\b", expression or ""))
    found = (origin(manifest, extract, word, {recipients}, top=True) for word in words)
    return [place for place in found if place]


def origin(manifest: Manifest, unique_id: str, column: str, seen: set[str], *, top: bool = False) -> str | None:
    """The farthest node above, or this one, that documents a column. `seen` is added to."""
    node = manifest.nodes.get(unique_id) or manifest.sources.get(unique_id)
    if node is None or unique_id in seen:
        return None
    seen.add(unique_id)
    for parent in parents(node):
        if found := origin(manifest, parent, column, seen):
            return found
    return f"{node['name']}.{column}" if column in node["columns"] and not top else None


def write_lineage(settings: Settings, run_dbt: RunDbt, folder: Path, tell: Callable[[str], None]) -> Path:
    """Write dbt's documentation with its lineage as one page into a folder, and return the page. Raises DmailError."""
    with building(settings, "documentation", tell):
        outcome = run_dbt(settings, ["docs", "generate", "--static"], settings.work_dir / "docs", {})
        if outcome.exit_code != 0:
            raise DmailError("dbt could not write the documentation:\n" + "\n".join(outcome.errors))
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / PAGE
        shutil.move(outcome.target / "static_index.html", page)
        shutil.rmtree(outcome.target, ignore_errors=True)
        return page
