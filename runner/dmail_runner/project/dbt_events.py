"""The events in dbt's JSON log that the runner reads."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dmail_runner.project import dbt_program

OnLine = Callable[[str], None]


@dataclass(frozen=True)
class Node:
    """A model, seed or test that dbt has started or finished.

    Attributes:
        name: the node's name.
        kind: the materialization, such as `view`, `table` or `test`.
        status: dbt's status, such as `started`, `success` or `fail`.
        total: the number of nodes in this command.
        seconds: the duration; None when the node starts.
    """

    name: str
    kind: str
    status: str
    total: int
    seconds: float | None


def parse_event(line: str) -> dict[str, Any]:
    """The event in a line of dbt's JSON log. It is empty if the line is something else."""
    with suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict) and isinstance(event.get("info"), dict):
            return event
    return {"info": {}}


def error_message(event: Mapping[str, Any]) -> str | None:
    """The message of an event that reports an error; None for other events."""
    info = event["info"]
    names = (
        *("MainEncounteredError", "LogDebugStackTrace", "GenericExceptionOnRun"),
        *("RunningOperationCaughtError", "RunningOperationUncaughtError"),
        "Generic",  # all errors of dbt 2
    )
    return dbt_program.STACK.sub("", str(info["msg"])) if info.get("level") == "error" and info.get("name") in names else None


def node_of(event: Mapping[str, Any]) -> Node | None:
    """The node of an event that reports its start or end; None for other events."""
    if event["info"].get("name") not in ("LogStartLine", "LogModelResult", "LogSeedResult", "LogTestResult"):
        return None
    data = event.get("data", {})
    node = data.get("node_info", {})
    return Node(
        str(node.get("node_name")),
        str(node.get("materialized")),
        str(node.get("node_status")),
        int(data.get("total") or data.get("num_models") or 0),
        data.get("execution_time"),
    )
