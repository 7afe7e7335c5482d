"""docs/servers.md: what a run does with every kind of server, as the runs of the test have shown it."""

import re
from collections.abc import Mapping
from typing import Any

from zoo.entry import Entry
from zoo.visit import Seen

HEAD = """<!-- Written by `make docs` from runs against these servers: change it in tests/support/zoo, or in the code. -->

# Servers

What a run does with SFTP servers of many kinds. Each row was observed: a test delivers a file to a server that behaves so, first with a route
that gives nothing but the login, then with the settings in the third column. `dmail-runner route test` finds these settings.

A run that is `held` also says what to type when the provider has been asked.

In every row the mail house gets at most one whole copy of the file and no piece of it, however often the run is repeated.
"""
COLUMNS = "| server | behaviour | settings | result without them | result with them |\n| --- | --- | --- | --- | --- |"


def page(groups: Mapping[str, list[str]]) -> str:
    """The page, from the rows of each group."""
    return "\n".join([HEAD, *("\n".join([f"## {title}", "", COLUMNS, *rows, ""]) for title, rows in groups.items())])


def row(entry: Entry, default: Seen, fitted: Seen | None) -> str:
    """An entry's line in its table. `fitted`: what came of the runs with the settings that it needs."""
    settings = "no setting helps" if entry.needs is None else written(entry.needs)
    cells = [entry.name, entry.behaves, settings, result(default), result(fitted) if fitted else ""]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def written(settings: Mapping[str, Any]) -> str:
    """Settings as YAML has them."""
    return "<br>".join(f"`{key}: {yaml_value(value)}`" for key, value in settings.items())


def yaml_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if "{" in str(value) else str(value)


def result(seen: Seen) -> str:
    """How the runs ended, what was said first, and what stays on the server."""
    states = seen.first if seen.first == seen.last else f"{seen.first}, then {seen.last}"
    names = f"; {len(seen.left)} temporary name stays" if seen.last == "settled" and seen.left else ""
    return f"{states}{names}{said(seen.told)}"


def said(told: str) -> str:
    """The first line of what a person is told, without what changes from run to run."""
    text = re.sub(r"sftp://127\.0\.0\.1:\d+/(\S*?/root/|in/)?", "sftp://HOST/", told)
    text = re.sub(r"127\.0\.0\.1:\S*?/root", "HOST:/in", text)
    text = re.sub(r"127\.0\.0\.1(:\d+)?", "HOST", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "RANDOM", text)
    return "".join(f": {line}" for line in text.splitlines()[:1])
