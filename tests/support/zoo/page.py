"""docs/servers.md: what a run does with every kind of server, as the runs of the test have shown it."""

import re
from collections.abc import Mapping
from typing import Any

from zoo.entry import Entry
from zoo.visit import Seen

HEAD = """<!-- Written by `make docs` from runs against these servers: change it in tests/support/zoo, or in the code. -->

# Servers

[Documentation](README.md)

This page lists SFTP servers of many kinds, and the result of a run on each. A test writes every row: it runs such a server, and delivers a file to
it with a route that has a login and no other setting. If that does not settle the run, the test delivers another file with the settings
in the last column. `dmail-runner route test ROUTE` finds these settings for your server; the same test compares both.

Each run is repeated, and the mail house fetches files in between. In every row it gets at most one complete copy of the file and no piece of it.

| a run | meaning |
| --- | --- |
| settled | The file was delivered by the first run. |
| failed, then settled | The first run got no answer, or lost the connection. The next one completes the delivery. |
| failed | Nothing was delivered, although the run was repeated. |
| held | It is unknown whether the file was delivered. The run waits until you have asked the provider, and prints the command to type then. |
| held, then settled | The run waits until another sender's file is removed. |

The message is that of the first run. HOST and RANDOM replace text that differs from run to run.
"""
COLUMNS = "| server | behaviour | a run | message | settings that it needs |\n| --- | --- | --- | --- | --- |"


def page(groups: Mapping[str, list[str]]) -> str:
    """The page, from the rows of each group."""
    return "\n".join([HEAD, *("\n".join([f"## {title}", "", COLUMNS, *rows, ""]) for title, rows in groups.items())])


def row(entry: Entry, default: Seen, fitted: Seen | None) -> str:
    """An entry's line in its table. `fitted`: the result of runs with the settings that it needs."""
    cells = [entry.name, entry.behaves, result(default), said(default.told), needed(entry.needs, fitted)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def needed(needs: Mapping[str, Any] | None, fitted: Seen | None) -> str:
    """The settings, and how a run with them ends if that is not simply `settled`."""
    if needs is None:
        return "none: ask the provider"
    settings = "<br>".join(f"`{key}: {yaml_value(value)}`" for key, value in needs.items())
    ends = result(fitted) if fitted else "settled"
    return settings if ends == "settled" else f"{settings}: {ends}"


def yaml_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if "{" in str(value) else str(value)


def result(seen: Seen) -> str:
    """How the runs ended, and what stays on the server."""
    states = seen.first if seen.first == seen.last else f"{seen.first}, then {seen.last}"
    return f"{states}; the temporary name stays" if seen.last == "settled" and seen.left else states


def said(told: str) -> str:
    """What a person is told, without what changes from run to run, and without the commands, which are always the same."""
    text = re.sub(r"sftp://127\.0\.0\.1:\d+/(\S*?/root/|in/)?", "sftp://HOST/", told)
    text = re.sub(r"127\.0\.0\.1:\S*?/root", "HOST:/in", text)
    text = re.sub(r"127\.0\.0\.1(:\d+)?", "HOST", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "RANDOM", text)
    return "<br>".join(line.strip().replace("-> ", "→ ") for line in text.splitlines() if "settle " not in line)
