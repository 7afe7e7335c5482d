"""A campaign's models as dbt compiles them, to ask them what no table holds."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from dmail_runner.core.errors import BuildError, UsageError
from dmail_runner.project.target import find_warehouse
from dmail_runner.run.job import Job


def compiled_nodes(job: Job, slot: datetime, select: Sequence[str], mode: str) -> dict[str, Any]:
    """The manifest's nodes, those of the selected models with `compiled_code`. `mode`: the variable that the macros look at."""
    if find_warehouse(job.settings).schema:
        raise UsageError("a campaign's SQL for Spark cannot be asked here", todo="--target duckdb asks the same models")
    environment = {mode: "1", "DMAIL_SLOT": f"{slot.astimezone(UTC):%Y-%m-%d %H:%M:%S}"}
    target = job.settings.work_dir / "compile"
    try:
        outcome = job.run_dbt(job.settings, ["compile", "--select", *select], target, environment)
        if outcome.exit_code != 0:
            raise BuildError(f"{job.campaign.name} could not be compiled:\n" + "\n".join(outcome.errors))
        nodes: dict[str, Any] = outcome.artifact("manifest.json")["nodes"]
        return nodes
    finally:
        shutil.rmtree(target, ignore_errors=True)


def inlined(nodes: dict[str, Any], node: str, within: str, given: dict[str, str]) -> str:
    """A model's SQL with the campaign's models that it reads written into it, so that nothing need be built.

    `within`: what the names of those models begin with. `given`: SQL for some of them, by id.
    """
    code: str = nodes[node]["compiled_code"]
    for parent in nodes[node]["depends_on"]["nodes"]:
        if parent in given:
            code = code.replace(nodes[parent]["relation_name"], given[parent])
        elif parent.startswith("model.") and nodes[parent]["name"].startswith(within):
            code = code.replace(nodes[parent]["relation_name"], f"({inlined(nodes, parent, within, given)})")
    return code
