"""The page of commands, from the texts of `--help`."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer.main

from dmail_runner.cli import app
from scripts.reference.field_texts import NOTE

# The commands that build or deliver a slot, so that a gate may hold it.
BUILDING = ("approve", "check", "diff", "preview", "proof", "release", "resend", "resume", "run", "settle")
CODES = "How to react to an exit code: [operations.md](../operations.md#exit-codes)."


def commands_page() -> str:
    """The page: each command with its arguments, options, example and exit codes."""
    root = typer.main.get_command(app)
    parts = [
        NOTE,
        "",
        "# Commands",
        "",
        "[Documentation](../README.md)",
        "",
        inspect.cleandoc(root.help or "").splitlines()[-1],
        CODES,
        "",
    ]
    parts += ["`dmail-runner COMMAND --help` prints the same. These options precede the command:", "", *options(root), ""]
    for name, command in commands(root, "dmail-runner"):
        text, _, example = inspect.cleandoc(command.help or "").partition("\n\nExample: ")
        usage = command.collect_usage_pieces(command.make_context(name, [], resilient_parsing=True))
        shown = re.sub(r"\{(\w+)\}", lambda word: word[1].upper(), " ".join([name, *usage]))
        parts += [f"## {name}", "", f"`{shown}`", "", " ".join(text.split()), ""]
        parts += ["```console", f"$ {' '.join(example.split())}", "```", ""] if example else []
        parts += [*table, ""] if (table := options(command)) else []
        parts += [f"Exit codes: 0, 1, 2{', 3' if name.removeprefix('dmail-runner ') in BUILDING else ''}.", ""]
    return "\n".join(parts).rstrip() + "\n"


def commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """All commands, including those of groups."""
    for word, command in sorted(getattr(group, "commands", {}).items()):
        if getattr(command, "commands", None):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


def options(command: Any) -> list[str]:
    """A command's arguments and options as a table."""
    rows = [f"| {' '.join(words(one))} | {meaning(one)} |" for one in command.params]
    return ["| argument or option | meaning |", "| --- | --- |", *rows] if rows else []


def words(one: Any) -> Iterator[str]:
    """The words of an argument or option as they are typed."""
    option = one.param_type_name == "option"
    if option:
        yield " or ".join(f"`{word}`" for word in (*one.opts, *one.secondary_opts))
    if not option or not (one.is_flag or one.count):
        choices = getattr(one.type_descriptor, "choices", None) or ()
        yield f"`{one.metavar or '|'.join(map(str, choices)) or one.name.upper()}`".replace("|", "\\|")


def meaning(one: Any) -> str:
    """The meaning of an argument or option, with its default."""
    text = " ".join((getattr(one, "help", None) or "").split())
    if one.required and one.param_type_name == "option":
        text += " Required."
    if isinstance(one.default, int | str) and not isinstance(one.default, bool) and one.default != "":
        text += f" Default: `{one.default}`."
    if one.envvar:
        text += f" Environment: `{one.envvar}`."
    return text.replace("|", "\\|")
