"""`dmail-runner mcp`: tools for assistants in editors, by the Model Context Protocol. They read, and change nothing.

Each tool runs a command of this program in a process of its own, so that nothing but the protocol is on standard output.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dmail_runner.cli.base import GlobalOptions, app
from dmail_runner.cli.groups import PLACES
from dmail_runner.core.errors import DmailError, UsageError, unexpected
from dmail_runner.core.redact import redact, redact_patterns, redact_people
from dmail_runner.core.suggest import known_names

if TYPE_CHECKING:
    from dmail_runner.project.manifest import Manifest

ABOUT = """\
Direct mail as code: postal campaigns as dbt models. These tools read the project and its ledger. They never deliver, approve or
release anything, and they return no names, addresses or values of rows. Edit files in the project's folder, and call `check`."""
EXTRA = "pip install 'dmail-runner[mcp]'"
MOST = 100  # runs in one answer
# DMAIL_DEBUG shows tracebacks, which may quote rows.
ENVIRONMENT = {"NO_COLOR": "1", "COLUMNS": "100", "DMAIL_DEBUG": ""}


@app.command()
def mcp(context: typer.Context) -> None:
    """Serve read-only tools to an assistant in an editor, by the Model Context Protocol, until standard input closes.

    The tools are list, check, status, explain, manifest and reference. They deliver, approve and release nothing, and return no
    personal data but verdicts. It needs the extra `mcp`: docs/howto/assistants.md.

    Example: dmail-runner mcp
    """
    try:
        from mcp.server.mcpserver import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
        from mcp.types import ToolAnnotations
    except ImportError:
        raise UsageError("tools for assistants need the extra `mcp`", todo=EXTRA) from None
    tools = Tools(context.obj)
    server = MCPServer("dmail-runner", instructions=ABOUT, version=version("dmail-runner"), log_level="WARNING")
    hints = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
    for tool in (tools.list, tools.check, tools.status, tools.explain, tools.manifest, tools.reference):
        server.tool(annotations=hints)(told(tool, ToolError))
    server.run("stdio")


def told(tool: Callable[..., dict[str, Any]], failure: type[Exception]) -> Callable[..., dict[str, Any]]:
    """The tool with its errors as messages for the assistant. `failure`: the exception that carries one."""

    @wraps(tool)
    def call(**arguments: Any) -> dict[str, Any]:
        try:
            return tool(**arguments)
        except DmailError as error:
            raise failure(redact_people(redact(str(error)))) from None
        except Exception as error:
            raise failure(redact(unexpected(error))) from None

    return call


@dataclass(frozen=True)
class Tools:
    """The tools. The docstring of each one is its description for assistants.

    Attributes:
        options: the project and the dbt target.
    """

    options: GlobalOptions

    def list(self) -> dict[str, Any]:
        """List the campaigns, with status, provider, route and next slot."""
        return self.answer("list")

    def check(self, campaign: str = "") -> dict[str, Any]:
        """Check the configuration of one campaign, or of all: errors with file and key, warnings, and waves that wait."""
        return self.answer("check", *([campaign] if campaign else []))

    def status(self, campaign: str = "", limit: int = 20) -> dict[str, Any]:
        """Show the latest runs of one campaign, or of all, newest first: state, counts, exclusions, cost, files, errors."""
        chosen = [f"--campaign={campaign}"] if campaign else []
        found = self.answer("status", options=[*chosen, f"--limit={max(1, min(limit, MOST))}"])
        # A gate's message names a person whom the file may not contain.
        return {"runs": clean(found["runs"], lambda text: redact_people(redact_patterns(text)))}

    def explain(self, campaign: str, profile_id: str, slot: str = "") -> dict[str, Any]:
        """Explain why a profile is in a campaign's file or not: the result of each rule, without the values that it depends on.

        `slot` is an ISO time with an offset; the default is the slot that is due. A person sees the values with
        `dmail-runner explain`.
        """
        found = self.answer("explain", campaign, profile_id, options=[f"--slot={slot}"] if slot else [])
        rules = [{"rule": opinion["rule"], "excludes": opinion["out"]} for opinion in found["opinions"]]
        return {"profile_id": profile_id, "included": found["reason"] is None, "reason": found["reason"], "rules": rules}

    def manifest(self, campaign: str) -> dict[str, Any]:
        """Show how a campaign is defined: its declaration, the columns of its file, and its models with their files."""
        self.list()
        known = self.read_manifest()
        found = known.campaign(campaign)
        columns = known.nodes[found.extract]["columns"]
        models = known.lineage(found.extract).parents()
        content: dict[str, Any] = clean(
            {
                "campaign": found.name,
                "description": found.description,
                "file": found.file,
                "declaration": known.exposure(campaign)["config"]["meta"]["direct_mail"],
                "columns": [
                    {"label": one.label, "exported": one.export, **described(columns[one.name])} for one in found.columns
                ],
                "models": [{**described(node), "file": node["original_file_path"]} for node in models],
                "macros": sorted(known.lineage(found.recipients).macro_names(known.nodes[found.recipients])),
            }
        )
        return content

    def reference(self, name: str = "") -> dict[str, Any]:
        """Look up a command, a macro of the dbt package, or the schema of a YAML file. Without a name, list what there is."""
        from dmail_runner.setup.scaffold import library

        schemas = {path.name.removesuffix(".schema.json"): path for path in (library() / "docs/schema").glob("*.json")}
        if name in schemas:
            return {"name": name, "schema": json.loads(schemas[name].read_bytes())}
        if name in PLACES:
            return {"name": name, "help": self.call([name, "--help"]).stdout}
        self.list()
        macros = {
            macro["name"]: macro for macro in self.read_manifest().macros.entries.values() if macro["package_name"] == "dmail"
        }
        if name in macros:
            return {"name": name, "macro": {"arguments": macros[name]["arguments"], **described(macros[name])}}
        documented = sorted(one for one, macro in macros.items() if macro["description"])
        if name:
            raise UsageError(f"there is no {name!r}; {known_names(name, [*PLACES, *schemas, *documented])}")
        return {"commands": [*PLACES], "schemas": sorted(schemas), "macros": documented}

    def read_manifest(self) -> "Manifest":
        """The manifest that the last command has left. Raises ConfigError and UsageError."""
        from dmail_runner.core.settings import find_settings
        from dmail_runner.project.manifest import Manifest

        settings = find_settings(self.options.project_dir, self.options.target)
        return Manifest(json.loads(settings.target_file("manifest.json").read_bytes()))

    def answer(self, command: str, *arguments: str, options: Sequence[str] = ()) -> dict[str, Any]:
        """What a command prints with `--json`. Raises DmailError with its message if it prints nothing else."""
        done = self.call([command, "--json", *options, "--", *arguments])
        try:
            printed: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise DmailError(done.stderr.strip() or f"{command} failed with exit code {done.returncode}") from None
        return printed

    def call(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command of this program."""
        before = [f"--project-dir={self.options.project_dir}"] if self.options.project_dir else []
        before += [f"--target={self.options.target}"] if self.options.target else []
        return subprocess.run(
            [sys.executable, "-P", "-m", "dmail_runner", *before, *words],
            cwd=Path.cwd(),
            env={**os.environ, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )


def described(entry: Mapping[str, Any]) -> dict[str, str]:
    """The name and the description of a node, a column or a macro."""
    return {"name": entry["name"], "description": " ".join((entry.get("description") or "").split())}


def clean(value: Any, redacted: Callable[[str], str] = redact_patterns) -> Any:
    """A value whose texts are redacted: by default, without what looks like a secret, because dbt fills in variables."""
    if isinstance(value, Mapping):
        return {key: clean(item, redacted) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item, redacted) for item in value]
    return redacted(value) if isinstance(value, str) else value
