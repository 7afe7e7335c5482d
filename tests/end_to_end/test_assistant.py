"""What an assistant in an editor is told, by a real client of the Model Context Protocol."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
from mcp import Client, StdioServerParameters

from dmail_runner.cli.groups import GROUPS
from project import SLOT, Project, surroundings

CALLS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("list", {}),
    ("check", {}),
    ("status", {"limit": 1000}),
    ("explain", {"campaign": "spring_catalog", "profile_id": "{person}", "slot": SLOT}),
    ("manifest", {"campaign": "spring_catalog"}),
    ("reference", {}),
    ("reference", {"name": "run"}),
    ("reference", {"name": "holdout"}),
    ("reference", {"name": "routes"}),
    ("check", {"campaign": "no_such_campaign"}),
    ("explain", {"campaign": "spring_catalog", "profile_id": "--as-json"}),
    ("reference", {"name": "holdot"}),
    ("status", {"campaign": "--help"}),
)


def ask(project: Project, person: str) -> tuple[list[Any], list[tuple[bool, str]]]:
    """The tools that a project's server has, and the answers to CALLS: whether one is an error, and its text."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "dmail_runner", "--project-dir", str(project.path), "mcp"],
        env=surroundings() | {"DMAIL_DEBUG": "1"},
    )

    async def talk() -> tuple[list[Any], list[tuple[bool, str]]]:
        async with Client(server) as client:
            tools = (await client.list_tools()).tools
            answers = [
                await client.call_tool(
                    name, {key: str(value).format(person=person) if key != "limit" else value for key, value in given.items()}
                )
                for name, given in CALLS
            ]
        return tools, [(bool(answer.is_error), "".join(part.text for part in answer.content)) for answer in answers]

    return asyncio.run(talk())


def files(folder: Path) -> dict[str, bytes]:
    """The files that a reader must not change: the project's, the ledger and the contact history."""
    kept = ("models", "profiles", "outbox", ".dmail/contact_history", ".dmail/ledger.sqlite")
    paths = [path for name in kept for path in [folder / name, *(folder / name).rglob("*")] if path.is_file()]
    return {str(path): path.read_bytes() for path in paths}


def test_an_assistant_reads_everything_but_people_and_changes_nothing(done: Path) -> None:
    project = Project(done)
    with duckdb.connect(done / ".dmail/warehouse.duckdb", read_only=True) as connection:
        (person,) = connection.execute("select min(profile_id) from spring_catalog__recipients").fetchone() or ("",)
    before = files(done)
    tools, answers = ask(project, person)
    assert files(done) == before
    assert {tool.name for tool in tools} == {"list", "check", "status", "explain", "manifest", "reference"}
    assert not {tool.name for tool in tools} & {*GROUPS["Deliver"], *GROUPS["Decide"]}
    assert all(tool.annotations.read_only_hint and not tool.annotations.destructive_hint and tool.description for tool in tools)
    everything = "\n".join(text for _, text in answers)
    assert "Canary" not in everything
    assert "Traceback" not in everything
    good, bad = answers[:9], answers[9:]
    assert [failed for failed, _ in good] == [False] * 9, good
    assert [failed for failed, _ in bad] == [True, True, True, False], bad
    check_answers([json.loads(text) for _, text in good], person)
    told = [text for _, text in bad]
    assert "there is no campaign 'no_such_campaign'" in told[0]
    assert "no profile '--as-json'" in told[1]
    assert "did you mean holdout?" in told[2]
    assert json.loads(told[3]) == {"runs": []}, "no option of the command, but the name of a campaign"


def check_answers(found: list[dict[str, Any]], person: str) -> None:
    listed, checked, status, explained, manifest, index, command, macro, schema = found
    assert len(listed["campaigns"]) == 4
    assert checked["problems"] == []
    states = {run["campaign"]: run["state"] for run in status["runs"]}
    assert states == {"renewal_notice": "settled", "spring_catalog": "held", "loyalty_offer": "failed"}
    held = next(run for run in status["runs"] if run["state"] == "held")
    assert held["error"]
    assert "profile_id" not in held["error"], "a gate's message names a person on the terminal only"
    assert explained["profile_id"] == person
    assert all(set(rule) == {"rule", "excludes"} for rule in explained["rules"]), "without the values"
    assert len(explained["rules"]) > 3
    assert manifest["declaration"]["provider"] == "acme_print"
    assert {"label", "exported", "name", "description"} == set(manifest["columns"][0])
    assert "models/staging/stg_profiles.sql" in {model["file"] for model in manifest["models"]}
    assert "holdout" in manifest["macros"]
    assert "holdout" in index["macros"]
    assert "routes" in index["schemas"]
    assert "run" in index["commands"]
    assert "--dry-run" in command["help"]
    assert {argument["name"] for argument in macro["macro"]["arguments"]} == {"percent", "unit", "key"}
    assert schema["schema"]["type"] == "object"


def test_without_the_extra_it_is_named(project: Project) -> None:
    (hidden := project.path / "hidden" / "mcp").mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError")
    refused = project.call("mcp", PYTHONPATH=str(hidden.parent))
    assert refused.returncode == 2
    assert "pip install 'dmail-runner[mcp]'" in refused.stderr
