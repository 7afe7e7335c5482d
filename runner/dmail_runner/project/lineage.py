"""What a model is made of: the models, seeds and macros above it, as dbt's manifest knows them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# What comes with dbt changes with its version, not with the project.
FOREIGN = ("dbt", "dbt_duckdb", "dbt_spark")


@dataclass(frozen=True)
class Lineage:
    """A model's lineage. `nodes` and `macros` are the manifest's. `packages`: paths of packages within the project, by name."""

    nodes: Mapping[str, Any]
    macros: Mapping[str, Any]
    model: str
    packages: Mapping[str, str] = field(default_factory=dict)

    def parents(self) -> list[dict[str, Any]]:
        """The model and every node above it; no sources."""
        found: dict[str, dict[str, Any]] = {}
        todo = [self.model]
        while todo:
            name = todo.pop()
            if name in self.nodes and name not in found:
                found[name] = self.nodes[name]
                todo += self.nodes[name]["depends_on"].get("nodes", [])
        return [found[name] for name in sorted(found)]

    def used_macros(self) -> list[dict[str, Any]]:
        """The macros of the project and its packages that those nodes use, and the macros that these use."""
        return self.macros_of(macro for node in self.parents() for macro in node["depends_on"].get("macros", []))

    def macro_names(self, node: Mapping[str, Any]) -> set[str]:
        """The names of the macros that one node uses, directly or by other macros."""
        return {macro["name"] for macro in self.macros_of(node["depends_on"].get("macros", []))}

    def macros_of(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """Macros by their ids, and every macro that they use."""
        found: dict[str, dict[str, Any]] = {}
        todo = list(names)
        while todo:
            name = todo.pop()
            macro = self.macros.get(name)
            if macro and name not in found and macro["package_name"] not in FOREIGN:
                found[name] = macro
                # A dispatched macro names none of its implementations.
                todo += macro["depends_on"]["macros"] + [other for other in self.macros if other.endswith(f"__{macro['name']}")]
        return [found[name] for name in sorted(found)]

    def definition(self) -> Mapping[str, str]:
        """The text of all that, by what it is: SQL, seeds by their checksums, contracts."""
        return dict(self.texts())

    def texts(self) -> Iterator[tuple[str, str]]:
        for node in self.parents():
            kind = node["resource_type"]
            yield f"{kind} {node['name']}", node["checksum"]["checksum"] if kind == "seed" else node["raw_code"]
        columns = self.nodes[self.model]["columns"]
        shown = [{"name": name, "type": column["data_type"], **column["config"]} for name, column in columns.items()]
        yield "columns", json.dumps(shown, indent=2, sort_keys=True, default=str)
        for macro in self.used_macros():
            yield f"macro {macro['name']}", macro["macro_sql"]

    def files(self, exposure: str) -> tuple[str, ...]:
        """The files of all that, and the exposure's own, as paths within the project. Packages outside of it are left out."""
        entries = [*self.parents(), *self.used_macros()]
        described = [self.path(entry, entry["patch_path"].split("://")[-1]) for entry in entries if entry.get("patch_path")]
        own = [self.path(entry, entry["original_file_path"]) for entry in entries]
        return tuple(sorted({exposure, *filter(None, [*own, *described])}))

    def path(self, entry: Mapping[str, Any], path: str) -> str | None:
        """A path of an entry's package as one within the project; None if the package is outside."""
        package = entry["package_name"]
        if package == self.nodes[self.model]["package_name"]:
            return path
        return f"{self.packages[package]}/{path}" if package in self.packages else None
