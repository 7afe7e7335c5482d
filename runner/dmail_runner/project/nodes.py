"""Nodes of dbt's manifest: their files, their metadata, and the columns of their contracts."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from dmail_runner.core.errors import Problem

Kind = Literal["text", "boolean", "timestamp", "integer"]
# Types by the engines' names for them.
TYPES: Mapping[Kind, str] = {
    "text": r"(string|text|n?varchar|character varying|char)(\(\d+\))?",
    "boolean": r"bool(ean)?",
    "timestamp": r"timestamp.*|datetime",
    "integer": r"(big|small|tiny)?int(eger)?",
}


def described_in(node: Mapping[str, Any]) -> str:
    """The YAML file that describes a node, or else its own file."""
    return str((node.get("patch_path") or node["original_file_path"]).split("://")[-1])


def meta_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `config.meta` of a node or column, or its `meta`, which earlier versions of dbt write."""
    return entry["config"].get("meta") or entry.get("meta") or {}


def column_faults(node: Mapping[str, Any], wanted: Mapping[str, Kind]) -> Iterator[Problem]:
    """The errors of a model's contract: it must list these columns with these types, so that dbt checks them before the build."""
    file, key = described_in(node), f"{node['resource_type']}s.{node['name']}"
    if not (node["config"].get("contract") or {}).get("enforced"):
        yield Problem(
            file, f"{key}.config.contract", "must be enforced: the runner reads the model's columns", "{enforced: true}"
        )
    for name, kind in wanted.items():
        column = node["columns"].get(name)
        if column is None:
            yield Problem(
                file, f"{key}.columns", f"has no {name}, which the runner reads", f"{{name: {name}, data_type: {kind}}}"
            )
        elif not re.fullmatch(TYPES[kind], (column.get("data_type") or "").strip(), re.IGNORECASE):
            given = column.get("data_type") or "missing"
            yield Problem(file, f"{key}.columns.{name}.data_type", f"is {given}", kind)
