"""Tables that are kept between runs: seeds, and models that declare `kept: true`. A run builds one only if an input has changed.

The state of a table is a hash of everything that can change its rows: the definitions of the node and of all nodes above it, the
contents of the files that they read, the dbt target, variables, and versions. A node that could depend on anything else has no
state, and is built by every run.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dmail_runner.core.kept_table import KeptTable
from dmail_runner.core.settings import Settings
from dmail_runner.project.dbt_process import OWN_VARIABLES
from dmail_runner.project.definition import Contents, code_of, locations_of, parents
from dmail_runner.project.inputs import input_texts
from dmail_runner.project.lineage import FOREIGN
from dmail_runner.project.macro_index import COMMENT, called_by, computes_names
from dmail_runner.project.nodes import meta_of
from dmail_runner.project.source_hash import UNKNOWN, source_hash
from dmail_runner.project.sql_reads import other_reads

JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
# The variables of Jinja that a node or macro binds: arguments, and those of `set` and `for`.
BOUND = re.compile(r"\bmacro\s+\w+\s*\(([^)]*)\)|\bset\s+([\w\s,.]+?)\s*(?:=|-?%)|\bfor\s+([\w\s,]+?)\s+in\b")
DISPATCHED = re.compile(r"dispatch\(\s*['\"](\w+)['\"]")
# Jinja of dbt whose value is another one in each command.
MOMENTS = frozenset({"run_started_at", "invocation_id"})
CLOCK = re.compile(r"\bmodules\s*(?:\.\s*datetime\b|[\[|])")


@dataclass(frozen=True)
class Keeping:
    """The tables among the nodes of a manifest that can be kept."""

    contents: Contents
    definitions: dict[str, str] = field(default_factory=dict)

    def tables(self, settings: Settings, roots: Sequence[str]) -> list[KeptTable]:
        """The tables above the roots that can be kept, with their present states. Raises ConfigError."""
        inputs, found = self.inputs(settings), []
        for node in self.contents.built(roots):
            name = node["unique_id"]
            if name in self.candidates and UNKNOWN not in (hashes := self.source_hashes(settings, name)).values():
                parts = json.dumps([self.definition(name), hashes, inputs], sort_keys=True)
                state = hashlib.sha256(parts.encode()).hexdigest()
                found.append(KeptTable(name, node["relation_name"], state, is_seed=node["resource_type"] == "seed"))
        return found

    def selection(self, fresh: Collection[str], roots: Sequence[str]) -> list[str]:
        """The nodes to build for the roots if some nodes are fresh, as arguments of `--select`. dbt adds their tests."""
        every = {**self.contents.sources, **self.contents.functions, **self.contents.nodes}
        found, met = set[str](), set[str]()
        todo = [root for root in roots if root in every]
        while todo:
            name = todo.pop()
            if name in fresh:
                met.add(name)
            elif name not in found:
                found.add(name)
                todo += [parent for parent in parents(every[name]) if parent in every]
        return sorted(selector(every[name]) for name in [*found, *self.tests_beyond(met)])

    def tests_beyond(self, fresh: Collection[str]) -> list[str]:
        """The tests of fresh nodes, and of what is above them, that read something else, too: they may fail now."""
        covered = {node["unique_id"] for name in fresh for node in self.above(name)}
        tests = (node for node in self.contents.nodes.values() if node["resource_type"] == "test")
        return [test["unique_id"] for test in tests if (read := set(parents(test))) & covered and not read <= covered]

    @cached_property
    def candidates(self) -> set[str]:
        """The nodes that can be kept, if their sources are files."""
        wanted = (name for name, node in self.contents.nodes.items() if is_kept(node))
        return {name for name in wanted if all(self.depends_on_inputs(node) for node in self.above(name))}

    def above(self, name: str) -> list[dict[str, Any]]:
        """A node and the nodes and sources above it, without tests and hooks."""
        return [node for node in self.contents.built([name]) if node["resource_type"] not in ("test", "operation")]

    def depends_on_inputs(self, node: Mapping[str, Any]) -> bool:
        """Whether a node depends only on what a state covers, as far as its code tells before it is compiled."""
        if node["resource_type"] in ("seed", "source"):
            return not hooks(node)
        if node["resource_type"] != "model" or node.get("language") != "sql" or hooks(node):
            return False
        own = {**node, "macro_sql": node["raw_code"]}
        plainly = node["config"]["materialized"] in ("table", "view", "ephemeral") and not reads_run(own)
        return plainly and names_in(node).isdisjoint(self.changing)

    @cached_property
    def changing(self) -> set[str]:
        """The names in Jinja whose value depends on the run: variables that the runner sets, and the macros that read them."""
        own = [macro for macro in self.contents.macros.values() if macro["package_name"] not in FOREIGN]
        packages = {macro["package_name"] for macro in own}
        names = {macro["unique_id"]: names_in(macro) for macro in own}
        found: set[str] = set(MOMENTS)
        new = {macro["unique_id"] for macro in own if reads_run(macro) or computes_names(macro["macro_sql"], packages)}
        while new:
            for name in new:
                found |= called_by(self.contents.macros[name]["name"])
            done = {name for name in names if self.contents.macros[name]["name"] in found}
            new = {name for name in names.keys() - done if not names[name].isdisjoint(found)}
        return found

    def definition(self, name: str) -> str:
        """A hash of the definition of a node, and of its tests."""
        if name not in self.definitions:
            texts = json.dumps(self.contents.definition([name]), sort_keys=True)
            self.definitions[name] = hashlib.sha256(texts.encode()).hexdigest()
        return self.definitions[name]

    def inputs(self, settings: Settings) -> Mapping[str, str]:
        """The other inputs of all nodes that can be kept."""
        texts = self.contents.definition(sorted(self.candidates))
        codes = [text for name, text in texts.items() if name.split()[0] not in ("seed", "source")]
        return dict(input_texts(settings, codes))

    def source_hashes(self, settings: Settings, name: str) -> dict[str, str]:
        """A hash of the contents of each source above a node."""
        return {source: source_hash(settings, location) for source, location in locations_of(self.above(name))}


def is_kept(node: Mapping[str, Any]) -> bool:
    """Whether a node is a seed, or a model that declares `kept: true`."""
    declared = meta_of(node).get("direct_mail")
    wanted = isinstance(declared, Mapping) and declared.get("kept") is True
    return node["resource_type"] == "seed" or (wanted and node["config"].get("materialized") == "table")


def hooks(node: Mapping[str, Any]) -> list[Any]:
    """The hooks of a node, which could change its rows."""
    config = node.get("config") or {}
    return [*(config.get("pre-hook") or []), *(config.get("post-hook") or [])]


def names_in(entry: Mapping[str, Any]) -> set[str]:
    """The names in the Jinja of a node or macro that may be macros: neither variables of its own nor texts. SQL calls nothing."""
    jinja = " ".join(JINJA.findall(code_of(entry)))
    code = re.sub(r"'[^']*'|\"[^\"]*\"", "''", jinja)
    own = " ".join(match[1] or match[2] or match[3] or "" for match in BOUND.finditer(code))
    bare = re.findall(r"(?<![\w.])\w+(?!\s*=[^=])", code)
    called = re.findall(r"\.\s*(\w+)", code)
    return (set(bare) - set(re.findall(r"\w+", own)) | set(called) | set(DISPATCHED.findall(jinja))) - {entry["name"]}


def reads_run(macro: Mapping[str, Any]) -> bool:
    """Whether a macro reads a variable that the runner sets for one run, or a time of dbt's own."""
    code = COMMENT.sub("", macro["macro_sql"])
    own = any(re.search(rf"['\"]{name}['\"]", code) for name in OWN_VARIABLES)
    return own or bool(CLOCK.search(code)) or not names_in(macro).isdisjoint(MOMENTS)


def selector(node: Mapping[str, Any]) -> str:
    """A node as an argument of `--select`."""
    if node["resource_type"] == "source":
        return f"source:{node['package_name']}.{node['source_name']}.{node['name']}"
    return ".".join(node["fqn"])


def undeclared(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> set[str]:
    """What the compiled SQL of a model reads that its state does not cover.

    Args:
        node: the model, from the manifest of a build.
        manifest: that manifest.
    """
    entries = [manifest["nodes"].get(name) or manifest["sources"].get(name) or {} for name in parents(node)]
    relations = {str(entry.get("relation_name") or "").replace('"', "") for entry in entries}
    sources = [entry for entry in entries if entry.get("resource_type") == "source"]
    files = {location[1:-1].replace("''", "'") for _, location in locations_of(sources) if location.startswith("'")}
    return other_reads(node.get("compiled_code") or "", relations, files)


def nodes_above(name: str, manifest: Mapping[str, Any], fresh: Collection[str]) -> list[Mapping[str, Any]]:
    """A node, and the nodes and sources above it, from the manifest of a build. What is above fresh nodes was not built."""
    found: dict[str, Mapping[str, Any]] = {}
    todo = [name]
    while todo:
        node = manifest["nodes"].get(one := todo.pop()) or manifest["sources"].get(one)
        if node and one not in found and one not in fresh:
            found[one] = node
            todo += parents(node)
    return list(found.values())
