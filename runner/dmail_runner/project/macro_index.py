"""Finds the macros that a build can reach, by the names in its texts."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dmail_runner.project.lineage import FOREIGN

COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
# Functions whose first argument names the object that they use. If it is not a literal, the object cannot be determined.
LITERAL = r"\b{}\s*\(\s*(?P<quote>['\"])(?P<name>\w+)(?P=quote)\s*[,)]"


@dataclass(frozen=True)
class MacroIndex:
    """The macros of a manifest, by unique id. Their texts are searched once."""

    macros: Mapping[str, Any]

    def used(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """The macros whose names occur in the texts, directly or through other macros, and those that replace dbt's own macros.

        If a text computes the name of a macro, all macros count as used.
        """
        found = set(self.replacing)
        todo = [*(re.findall(r"\w+", text) for text in texts), *(self.words[name] for name in found)]
        computed = any(computes_names(text, self.packages) for text in texts)
        while todo:
            new = {name for word in todo.pop() if word in self.by_name for name in self.by_name[word]} - found
            found |= new
            todo += [self.words[name] for name in new]
        if computed or found & self.computing:
            found = set(self.own)
        return [self.own[name] for name in sorted(found)]

    @cached_property
    def own(self) -> dict[str, dict[str, Any]]:
        """The macros that do not come with dbt."""
        return {name: macro for name, macro in self.macros.items() if macro["package_name"] not in FOREIGN}

    @cached_property
    def packages(self) -> set[str]:
        """The packages of these macros."""
        return {macro["package_name"] for macro in self.own.values()}

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """The macros that a name may call."""
        found: dict[str, list[str]] = defaultdict(list)
        for name, macro in self.own.items():
            for called in called_by(macro["name"]):
                found[called].append(name)
        return dict(found)

    @cached_property
    def replacing(self) -> set[str]:
        """The macros that replace those of dbt."""
        foreign = {macro["name"] for macro in self.macros.values() if macro["package_name"] in FOREIGN}
        return {name for name, macro in self.own.items() if foreign & called_by(macro["name"])}

    @cached_property
    def words(self) -> dict[str, set[str]]:
        """The words of each macro."""
        return {name: set(re.findall(r"\w+", macro["macro_sql"])) for name, macro in self.own.items()}

    @cached_property
    def computing(self) -> set[str]:
        """The macros that may call a macro by a computed name."""
        return {name for name, macro in self.own.items() if computes_names(macro["macro_sql"], self.packages)}


def called_by(macro: str) -> set[str]:
    """The names by which a macro is called: its own, and the one that dispatches to it, such as `slot` of `duckdb__slot`."""
    pieces = macro.split("__")
    dispatched = {"__".join(pieces[start:]) for start in range(len(pieces))}
    # dbt finds a materialization by the name in a model's configuration.
    kind = re.fullmatch(r"materialization_(\w+)_[a-z0-9]+", macro)
    return {*dispatched, *([kind[1]] if kind else [])}


def computes_names(text: str, packages: set[str]) -> bool:
    """Whether a text may call a macro by a computed name."""
    code = COMMENT.sub("", text)
    namespaces = "|".join(map(re.escape, sorted(packages))) or r"\b\B"
    return bool(
        re.search(rf"\bcontext\s*[\[.|]|\|\s*attr\b|\b({namespaces})\s*[\[|]|=\s*({namespaces}|context)\s*%\}}", code)
        or not written_out(code, "dispatch")
    )


def written_out(text: str, function: str) -> bool:
    """Whether each call of a function has a literal as its first argument."""
    code = COMMENT.sub("", text)
    return len(re.findall(rf"\b{function}\b", code)) == len(re.findall(LITERAL.format(function), code))
