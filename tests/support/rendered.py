"""Renders the package's macros without dbt, for tests that only need the text of a macro."""

import datetime as dt
import re
from functools import cache
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2

from project import ROOT

EXTENSIONS = ["jinja2.ext.do"]


class Returned(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class CompileError(Exception):
    """What `exceptions.raise_compiler_error` raises."""


def finish(value: Any) -> Any:
    raise Returned(value)


def refuse(message: str) -> Any:
    raise CompileError(message)


@cache
def compiled(*folders: str) -> Any:
    """The code of all macros in some folders, which takes seconds to make."""
    files = [path for folder in folders for path in sorted((ROOT / "macros" / folder).glob("*.sql"))]
    return jinja2.Environment(extensions=EXTENSIONS).compile("\n".join(path.read_text() for path in files))


class Package:
    """The macros of some folders by name, as the namespace `dmail` of a template."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *folders: str,
        sources: dict[str, Any] | None = None,
        environment_variables: dict[str, str] | None = None,
        variables: dict[str, Any] | None = None,
        target: Any = None,
    ) -> None:
        def run_query(query: str) -> Any:
            return SimpleNamespace(rows=connection.execute(query).fetchall())

        environment = jinja2.Environment(extensions=EXTENSIONS, undefined=jinja2.ChainableUndefined)
        environment.globals.update(
            {
                "dmail": self,
                "adapter": SimpleNamespace(dispatch=self.dispatched, quote='"{}"'.format),
                "exceptions": SimpleNamespace(raise_compiler_error=refuse),
                "modules": SimpleNamespace(re=re, datetime=dt),
                "return": finish,
                "ref": lambda *names: names[-1],
                "var": (variables or {}).get,
                "run_query": run_query,
                "env_var": lambda name, default="": (environment_variables or {}).get(name, default),
                "execute": True,
                "target": target or SimpleNamespace(plugins=None),
                "graph": SimpleNamespace(sources=sources or {}, get=lambda _: None),
            }
        )
        self.macros = jinja2.Template.from_code(environment, compiled(*folders), environment.globals).make_module()

    def dispatched(self, name: str, _: str) -> Any:
        """DuckDB's own macro, or most engines'."""
        found = f"duckdb__{name}" if hasattr(self.macros, f"duckdb__{name}") else f"default__{name}"
        return getattr(self, found)

    def __getattr__(self, name: str) -> Any:
        macro = getattr(self.macros, name)

        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return str(macro(*arguments, **named))
            except Returned as returned:
                return returned.value

        return call
