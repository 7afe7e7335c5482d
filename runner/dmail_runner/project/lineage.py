"""The lineage of a model: the models, seeds and macros that it depends on, from dbt's manifest."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Packages that come with dbt. They change with its version, not with the project.
FOREIGN = ("dbt", "dbt_duckdb", "dbt_spark")


@dataclass(frozen=True)
class Lineage:
    """The nodes and macros of a manifest, and the model that is meant."""

    nodes: Mapping[str, Any]
    macros: Mapping[str, Any]
    model: str

    def parents(self) -> list[dict[str, Any]]:
        """The model and every node that it depends on, except sources. The order is by unique id."""
        found: dict[str, dict[str, Any]] = {}
        todo = [self.model]
        while todo:
            name = todo.pop()
            if name in self.nodes and name not in found:
                found[name] = self.nodes[name]
                todo += self.nodes[name]["depends_on"].get("nodes", [])
        return [found[name] for name in sorted(found)]

    def used_macros(self) -> list[dict[str, Any]]:
        """The project's macros that those nodes use, and the macros that these use."""
        found: dict[str, dict[str, Any]] = {}
        todo = [macro for node in self.parents() for macro in node["depends_on"].get("macros", [])]
        while todo:
            name = todo.pop()
            macro = self.macros.get(name)
            if macro and name not in found and macro["package_name"] not in FOREIGN:
                found[name] = macro
                # The manifest does not say which implementations a dispatched macro depends on.
                todo += macro["depends_on"]["macros"] + [other for other in self.macros if other.endswith(f"__{macro['name']}")]
        return [found[name] for name in sorted(found)]

    def definition(self) -> Mapping[str, str]:
        """The definition of the model: the SQL of every node and macro, the checksums of seeds, and the column contract."""
        return dict(self.texts())

    def texts(self) -> Iterator[tuple[str, str]]:
        for node in self.parents():
            kind = node["resource_type"]
            yield f"{kind} {node['name']}", node["checksum"]["checksum"] if kind == "seed" else node["raw_code"]
        columns = self.nodes[self.model]["columns"]
        contract = [{"name": name, "type": column["data_type"], **column["config"]} for name, column in columns.items()]
        yield "columns", json.dumps(contract, indent=2, sort_keys=True, default=str)
        for macro in self.used_macros():
            yield f"macro {macro['name']}", macro["macro_sql"]

    def files(self, exposure: str) -> tuple[str, ...]:
        """The project's files that all that stands in, and the exposure's own."""
        described = [node["patch_path"].split("://")[-1] for node in self.parents() if node.get("patch_path")]
        own = [entry["original_file_path"] for entry in (*self.parents(), *self.used_macros())]
        return tuple(sorted({exposure, *own, *described}))
