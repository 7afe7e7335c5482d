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
from dmail_runner.report.expressions import columns_in, made_by, made_by_query

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


def origins(manifest: Manifest, extract: str, recipients: str, expression: str | None) -> list[str]:
    """The columns that an expression reads, such as `crm.profiles.last_name`, as far up the lineage as they can be followed.

    The recipients are not followed: they only decide who is included.
    """
    follow = Follower(manifest, recipients)
    found = (follow.above(extract, column) for column in columns_in(expression or ""))
    return list(dict.fromkeys(column for columns in found for column in columns))


class Follower:
    """Follows columns up the lineage, through the expressions of models. `barred`: a node that is not followed."""

    def __init__(self, manifest: Manifest, barred: str) -> None:
        self.manifest = manifest
        self.seen = {(barred, "")}
        self.barred = barred

    def above(self, unique_id: str, column: str) -> list[str]:
        """The farthest columns that a node's column of this name comes from, by the first parent that has it."""
        node = self.manifest.nodes[unique_id]
        named = bool(re.search(rf"\b{re.escape(column)}\b", node.get("raw_code") or ""))
        known = (self.farthest(parent, column, named=named) for parent in parents(node))
        return next(filter(None, known), None) or self.of_query(unique_id, column)

    def of_query(self, unique_id: str, column: str) -> list[str]:
        """The farthest columns that a column comes from which a macro adds within a node's SQL."""
        made = made_by_query(self.manifest.nodes[unique_id].get("raw_code") or "", column)
        return [above for name in columns_in(made or "") for above in self.above(unique_id, name)]

    def farthest(self, unique_id: str, column: str, *, named: bool) -> list[str]:
        """The farthest columns that a column is made from; empty if the node is not known to have it.

        `named`: whether the SQL that reads the column names it, and does not only pass it on by a `*`.
        """
        node = self.manifest.nodes.get(unique_id) or self.manifest.sources.get(unique_id)
        if node is None or unique_id == self.barred or (unique_id, column) in self.seen:
            return []
        self.seen.add((unique_id, column))
        documented = column in node["columns"]
        if node["resource_type"] == "source":
            # The columns of many sources are not documented. Then a model that names a column shows that it exists.
            known = documented or (named and not node["columns"])
            return [f"{node['source_name']}.{node['name']}.{column}"] if known else []
        if node.get("contract", {}).get("enforced") and not documented:
            return []
        # A model that a macro writes has no expressions: its columns are those of its parents with the same names.
        made = made_by(node.get("raw_code") or "", column) or (column if documented else "")
        found = [above for name in columns_in(made) for above in self.above(unique_id, name)]
        return list(dict.fromkeys(found)) or ([f"{node['name']}.{column}"] if documented else [])


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
