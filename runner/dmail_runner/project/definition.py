"""The definition of a campaign: everything in its dbt project, except the data, that can change its file, as texts by name."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.project.lineage import FOREIGN
from dmail_runner.project.macro_index import COMMENT, MacroIndex

# Keys that dbt adds to a node: times, and paths of this machine. The code is a separate text, so that it keeps its lines.
LEFT_OUT = frozenset(
    {"build_path", "compiled", "compiled_code", "compiled_path", "created_at", "doc_blocks", "raw_code", "root_path"}
)
COMPILED: Mapping[str, Any] = {"extra_ctes": None, "extra_ctes_injected": None}  # keys that dbt sets when it compiles a node
# Keys whose entries have the order of the YAML file. The order matters, because a table has its columns in this order.
ORDERED = ("columns", "meta")
# Macros of the dmail package that search the graph. What they find is in the definition: nodes above the one that calls them, and
# the campaign's own exposure; or it only decides whether the project compiles.
SEARCHING = frozenset(
    f"macro.dmail.{name}"
    for name in (
        "campaign_zone",
        "check_campaign",
        "check_purl_columns",
        "check_role",
        "duckdb__encoding",
        "given_offers",
        "given_vouchers",
        "has_contact_column",
        "has_purls",
        "list_keys",
        "postgres_copy_files",
        "postgres_location",
        "spark_location",
    )
)


Entries = tuple[list[dict[str, Any]], list[dict[str, Any]]]  # nodes and sources, and macros


@dataclass(frozen=True)
class Contents:
    """The parts of dbt's `manifest.json` that a build uses, by unique id. They do not change, so that texts are made once."""

    nodes: Mapping[str, Any]
    sources: Mapping[str, Any]
    functions: Mapping[str, Any]
    macros: Mapping[str, Any]
    texts: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    reached: dict[tuple[str, ...], Entries] = field(default_factory=dict, repr=False, compare=False)

    def definition(self, roots: Sequence[str]) -> dict[str, str]:
        """The texts of everything that `dbt build` runs for the given nodes: ancestors, tests, hooks and macros."""
        entries, macros = self.entries(roots)
        texts = {label(entry): self.text(entry) for entry in entries}
        texts |= {f"macro {macro['package_name']}.{macro['name']}": macro["macro_sql"] for macro in macros}
        codes = [code_of(entry) for entry in [*entries, *macros] if entry.get("unique_id") not in SEARCHING]
        if any(re.search(r"\bgraph\b", code) for code in codes):
            every = {**self.nodes, **self.sources, **self.functions}
            texts["graph"] = "\n".join(f"{name} {digest(self.text(every[name]))}" for name in sorted(every))
        return texts

    def text(self, entry: Mapping[str, Any]) -> str:
        """As `text_of`. The file of a seed is read each time."""
        if entry["resource_type"] == "seed":
            return text_of(entry)
        name = entry["unique_id"]
        if name not in self.texts:
            self.texts[name] = text_of(entry)
        return self.texts[name]

    def is_of(self, manifest: Mapping[str, Any], roots: Sequence[str]) -> bool:
        """Whether dbt has parsed the same definition in a build whose `manifest.json` is given."""
        other = Contents(*(manifest.get(kind, {}) for kind in ("nodes", "sources", "functions", "macros")))
        # If nothing at all differs, the texts need not be made.
        return self.bare == other.bare or self.parsed.definition(roots) == other.parsed.definition(roots)

    @cached_property
    def bare(self) -> list[Any]:
        """The contents without what differs between two commands of dbt, to compare them."""
        left_out = LEFT_OUT - {"raw_code"} | COMPILED.keys() | {"depends_on"}
        kept = [
            {
                name: [sorted(parents(entry)), {key: value for key, value in entry.items() if key not in left_out}]
                for name, entry in kind.items()
            }
            for kind in (self.nodes, self.sources, self.functions)
        ]
        return [*kept, {name: (macro["package_name"], macro["name"], macro["macro_sql"]) for name, macro in self.macros.items()}]

    @cached_property
    def parsed(self) -> "Contents":
        """The contents without what dbt adds when it compiles and runs a node, and with dbt's own hashes of seeds."""
        nodes = {
            name: {**node, **COMPILED, "depends_on": {"nodes": parents(node)}, "parsed_checksum": node.get("checksum")}
            for name, node in self.nodes.items()
        }
        return replace(self, nodes=nodes, texts={}, reached={})

    def entries(self, roots: Sequence[str]) -> Entries:
        """What `dbt build` runs for the given nodes, and the macros that it can reach."""
        key = tuple(roots)
        if key not in self.reached:
            entries = self.built(roots)
            self.reached[key] = entries, self.index.used([self.text(entry) for entry in entries])
        return self.reached[key]

    def built(self, roots: Sequence[str]) -> list[dict[str, Any]]:
        """The nodes with the given ids, their ancestors, the tests of these, and the hooks of each build."""
        every = {**self.sources, **self.functions, **self.nodes}
        found: set[str] = set()
        todo = [root for root in roots if root in every]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += [parent for parent in parents(every[name]) if parent in every]
        for name, node in self.nodes.items():
            tests = node["resource_type"] == "test" and found & set(parents(node))
            if tests or node["resource_type"] == "operation":
                found.add(name)
        return [every[name] for name in sorted(found)]

    @cached_property
    def index(self) -> MacroIndex:
        """The macros, by the names that call them."""
        return MacroIndex(self.macros)

    def takes_windows(self, built: Sequence[Mapping[str, Any]]) -> bool:
        """Whether a model of a build selects by the slot's window: by `window_start()`, or by a macro that calls it."""
        return any(not words_of(node).isdisjoint(self.window_macros) for node in built if node["resource_type"] == "model")

    def makes_links(self, built: Sequence[Mapping[str, Any]]) -> bool:
        """Whether a model of a build calls `link_token()`, directly or through a macro such as `purl()`."""
        return any(not calls_of(node).isdisjoint(self.link_macros) for node in built if node["resource_type"] == "model")

    def calls(self, built: Sequence[Mapping[str, Any]], macro: str) -> bool:
        """Whether a model of a build calls a macro, directly or through another one."""
        callers = self.callers(macro, calls_of)
        return any(not calls_of(node).isdisjoint(callers) for node in built if node["resource_type"] == "model")

    @cached_property
    def window_macros(self) -> set[str]:
        """The names of `window_start()` and of all macros that call it."""
        return self.callers("window_start", words_of)

    @cached_property
    def link_macros(self) -> set[str]:
        """The names of `link_token()` and of all macros that call it. Columns have the same names, and are not calls."""
        return self.callers("link_token", calls_of)

    def callers(self, name: str, names_in: Callable[[Mapping[str, Any]], set[str]]) -> set[str]:
        """A macro and all macros that call it, directly or through others, by name. `names_in`: what an entry's code may call.

        dbt does not list the macros that are called within a block, such as that of `targeted()`. Therefore the code is searched.
        """
        own = {macro["name"]: names_in(macro) for macro in self.macros.values() if macro["package_name"] not in FOREIGN}
        found: set[str] = set()
        new = {name}
        while new:
            found |= new
            new = {caller for caller, names in own.items() if caller not in found and not names.isdisjoint(found)}
        return found


def parents(node: Mapping[str, Any]) -> list[str]:
    """The ids of the nodes that a node depends on. A source depends on none."""
    return list((node.get("depends_on") or {}).get("nodes") or [])


def hooks_of(built: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of the hooks of some nodes, as policy.yml has them: `PACKAGE.on-run-start`, or a node's name."""
    names = set()
    for node in built:
        config = node.get("config") or {}
        if node["resource_type"] == "operation":
            moment = re.search(r"on-run-(start|end)", node["name"])
            names.add(f"{node['package_name']}.{moment[0] if moment else node['name']}")
        elif config.get("pre-hook") or config.get("post-hook") or config.get("sql_header"):
            names.add(str(node["name"]))
    return tuple(sorted(names))


def locations_of(built: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """The name and the location of each source among some nodes: a path, SQL, or a relation."""
    for entry in built:
        if entry["resource_type"] == "source":
            location = (entry.get("config") or {}).get("meta", {}).get("external_location") or entry.get("meta", {}).get(
                "external_location"
            )
            names = {
                "name": entry["name"],
                "identifier": entry.get("identifier") or entry["name"],
                "schema": entry.get("schema") or "",
            }
            for key, value in names.items():
                location = location.replace(f"{{{key}}}", value) if location else None
            yield f"{entry['source_name']}.{entry['name']}", location or entry.get("relation_name") or ""


def label(entry: Mapping[str, Any]) -> str:
    """The name of a node's text: its kind and its name."""
    kind = "hook" if entry["resource_type"] == "operation" else entry["resource_type"]
    name = f"{entry['source_name']}.{entry['name']}" if kind == "source" else entry["name"]
    # Two packages may have a test of the same name, and so may two versions of a model.
    return f"{kind} {name}" if kind in ("source", "hook") else f"{kind} {entry['unique_id'].split('.', 1)[1]}"


def code_of(entry: Mapping[str, Any]) -> str:
    """The Jinja of a node or macro, without comments."""
    return COMMENT.sub("", entry.get("macro_sql") or entry.get("raw_code") or "")


def words_of(entry: Mapping[str, Any]) -> set[str]:
    """The words in the Jinja of a node or macro, without comments. A macro's own name does not count."""
    return set(re.findall(r"\w+", code_of(entry))) - {entry["name"]}


def calls_of(entry: Mapping[str, Any]) -> set[str]:
    """The names that are followed by a parenthesis in the Jinja of a node or macro, without comments."""
    return set(re.findall(r"(\w+)\s*\(", code_of(entry))) - {entry["name"]}


def text_of(entry: Mapping[str, Any]) -> str:
    """A node as text: its code and all its other attributes. A seed's text has the hash of its file."""
    told = {name: value for name, value in entry.items() if name not in LEFT_OUT}
    told["depends_on"] = {name: sorted(ids) for name, ids in (entry.get("depends_on") or {}).items()}
    if entry["resource_type"] == "seed":
        told["checksum"] = file_digest(entry)
    return "\n".join(filter(None, [entry.get("raw_code"), json.dumps(stable(told), indent=2, ensure_ascii=False, default=str)]))


def stable(value: Any, key: str = "") -> Any:
    """The value with sorted keys. Mappings whose order matters become lists of pairs."""
    if isinstance(value, Mapping):
        if key in ORDERED:
            return [[name, stable(item, key if key == "meta" else "")] for name, item in value.items()]
        return {name: stable(value[name], name) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [stable(item) for item in value]
    return value


def file_digest(seed: Mapping[str, Any]) -> str:
    """The SHA-256 of a seed's file. dbt's own checksum of a large file is that of its path. Raises ConfigError."""
    path = Path(seed["root_path"]) / seed["original_file_path"]
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError([Problem(seed["original_file_path"], "", f"cannot be read: {error.strerror}")]) from None


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
