"""The lineage of a model: the models, seeds and macros that it depends on, from dbt's manifest."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

# Packages that come with dbt. They change with its version, not with the project.
FOREIGN = ("dbt", "dbt_duckdb", "dbt_postgres", "dbt_spark")


@dataclass(frozen=True)
class Macros:
    """The manifest's macros, by unique id."""

    entries: Mapping[str, Any]

    @cached_property
    def implementations(self) -> dict[str, list[str]]:
        """The macros that may implement a dispatched one, by its name: `duckdb__text` and `spark__text` implement `text`."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.entries:
            parts = name.split("__")
            for index in range(1, len(parts)):
                found["__".join(parts[index:])].append(name)
        return found

    def used(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """The macros with the given unique ids, and the macros that they use. dbt's own macros are left out."""
        found: dict[str, dict[str, Any]] = {}
        todo = list(names)
        while todo:
            name = todo.pop()
            macro = self.entries.get(name)
            if macro and name not in found and macro["package_name"] not in FOREIGN:
                found[name] = macro
                # The manifest does not say which implementations a dispatched macro depends on.
                todo += [*macro["depends_on"]["macros"], *self.implementations.get(macro["name"], ())]
        return [found[name] for name in sorted(found)]


@dataclass(frozen=True)
class Lineage:
    """The lineage of one model.

    Attributes:
        nodes: the manifest's nodes, by unique id.
        macros: the manifest's macros.
        model: the model's unique id.
        packages: the paths of the dbt packages within the project, by name.
    """

    nodes: Mapping[str, Any]
    macros: Macros
    model: str
    packages: Mapping[str, str] = field(default_factory=dict)

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
        """The macros that the model and its parents use, directly or through other macros. dbt's own macros are left out."""
        return self.macros.used(macro for node in self.parents() for macro in node["depends_on"].get("macros", []))

    def macro_names(self, node: Mapping[str, Any]) -> set[str]:
        """The names of the macros that one node uses, directly or through other macros."""
        return {macro["name"] for macro in self.macros.used(node["depends_on"].get("macros", []))}

    def files(self, exposure: str, built: Sequence[Mapping[str, Any]] = ()) -> tuple[str, ...]:
        """The files of the model, of the macros and of the nodes that are built with it, and the exposure's, within the project.

        Files of packages outside of the project are left out.
        """
        entries = [*self.parents(), *self.used_macros(), *built]
        described = [self.path(entry, entry["patch_path"].split("://")[-1]) for entry in entries if entry.get("patch_path")]
        own = [self.path(entry, entry["original_file_path"]) for entry in entries]
        return tuple(sorted({exposure, *filter(None, [*own, *described])}))

    def path(self, entry: Mapping[str, Any], path: str) -> str | None:
        """The path within the project of a file in an entry's package; None if the package is outside of the project."""
        package = entry["package_name"]
        if package == self.nodes[self.model]["package_name"]:
            return path
        return f"{self.packages[package]}/{path}" if package in self.packages else None
