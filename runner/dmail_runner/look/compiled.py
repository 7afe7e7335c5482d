"""A campaign's models as dbt compiles them, for questions that no table of the warehouse answers."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

import duckdb

from dmail_runner.core.errors import BuildError, UsageError
from dmail_runner.project.target import find_warehouse
from dmail_runner.project.warehouse import quote
from dmail_runner.run.job import Job

# Variables that the macros read: rules report the values that they depend on, or audiences select test profiles only.
Mode = Literal["DMAIL_EXPLAIN", "DMAIL_TEST_PROFILES"]


class CompiledModels:
    """The models that one `dbt compile` has compiled. Models are named by dbt's ids."""

    def __init__(self, nodes: Mapping[str, Any]) -> None:
        self.nodes = nodes

    def name(self, model: str) -> str:
        """The model's name."""
        return str(self.nodes[model]["name"])

    def query(self, connection: duckdb.DuckDBPyConnection, model: str, replaced: Mapping[str, str] | None = None) -> str:
        """A model's SQL, which reads temporary views in place of the tables of some models.

        Args:
            connection: the session, in which the views are created.
            model: the model.
            replaced: the queries of these views, by model. A compiled model between these and `model` becomes a view as well,
                because its table was built from the models that are replaced.
        """
        given = replaced or {}

        @cache
        def view(model: str) -> str | None:
            """The view in place of a model's table; None for a model that reads no replaced one."""
            query = given.get(model) or rewritten(model)
            if query is None or (model not in given and query == self.nodes[model]["compiled_code"]):
                return None
            # It has the table's name, so that columns that are qualified by that name are found.
            name = quote(self.nodes[model]["alias"])
            connection.execute(f"create temp view {name} as {query}")
            return f"temp.{name}"

        def rewritten(model: str) -> str | None:
            query: str | None = self.nodes[model].get("compiled_code")
            for parent in self.tables(model) if query else ():
                if name := view(parent):
                    query = with_relation(query or "", self.nodes[parent]["relation_name"], name)
            return query

        return rewritten(model) or ""

    def tables(self, model: str) -> Iterator[str]:
        """The models whose tables a model's SQL reads. The SQL of an ephemeral model is part of it."""
        for parent in self.nodes[model]["depends_on"]["nodes"]:
            if parent in self.nodes and self.nodes[parent]["relation_name"]:
                yield parent
            elif parent in self.nodes:
                yield from self.tables(parent)


def with_relation(query: str, relation: str, other: str) -> str:
    """A query that reads another relation in place of one. Longer names that contain the relation's are not changed."""
    return re.sub(rf'(?<![\w".]){re.escape(relation)}(?![\w"])', lambda _: other, query)


def compile_models(
    job: Job, slot: datetime, select: Sequence[str], mode: Mode, given: Mapping[str, str] | None = None
) -> CompiledModels:
    """Compile models of a campaign for a slot.

    Args:
        job: the campaign's job.
        slot: the slot.
        select: the models, as dbt's `--select` takes them.
        mode: the variable to set for the macros.
        given: other variables to set for them.

    Raises:
        UsageError: if the dbt target is not DuckDB.
        BuildError: if dbt cannot compile the models.
    """
    if not find_warehouse(job.settings).is_file:
        raise UsageError("the SQL of this target cannot be run here", todo="use `--target duckdb`, which has the same models")
    environment = {**(given or {}), mode: "1", "DMAIL_SLOT": f"{slot.astimezone(UTC):%Y-%m-%d %H:%M:%S}"}
    target = job.settings.work_dir / "compile"
    try:
        outcome = job.run_dbt(job.settings, ["compile", "--select", *select], target, environment)
        if outcome.exit_code != 0:
            raise BuildError(f"dbt could not compile {job.campaign.name}:\n" + "\n".join(outcome.errors))
        return CompiledModels(outcome.artifact("manifest.json")["nodes"])
    finally:
        shutil.rmtree(target, ignore_errors=True)
