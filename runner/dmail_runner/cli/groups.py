"""The order and the groups of the commands in `--help`, as in docs/guide.md."""

import re
from typing import Any

from typer.core import TyperGroup

GROUPS = {
    "Set up": ("init", "new", "sample-data", "deploy", "doctor"),
    "Review": (
        "list",
        "calendar",
        "check",
        "preview",
        "explain",
        "diff",
        "status",
        "show",
        "stock",
        "power",
        "report",
        "docs",
        "mcp",
    ),
    "Deliver": ("run", "serve", "fetch", "addresses", "proof", "route"),
    "Decide": ("approve", "hold", "release", "cancel", "resume", "settle", "resend", "recall"),
    "Maintain": ("audit", "access", "forget", "processing-record", "purge", "replay"),
}
PLACES = {name: (number, panel) for number, (panel, name) in enumerate((p, n) for p, names in GROUPS.items() for n in names)}
LINE = 63  # characters for which a terminal of 80 columns has room beside the longest name
COMPLETION = ("install_completion", "show_completion")


class Commands(TyperGroup):
    """The commands in groups, each with one line of help."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=lambda name: PLACES.get(name, (len(PLACES), ""))[0])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = super().get_command(ctx, cmd_name)
        if command is not None and cmd_name in PLACES:
            command.rich_help_panel = PLACES[cmd_name][1]  # type: ignore[attr-defined]
            command.short_help = short_line(command.help or "")
            command.help = paragraphs(command.help or "")
        return command

    def get_params(self, ctx: Any) -> list[Any]:
        params = super().get_params(ctx)
        for param in params:
            if param.name in COMPLETION:
                param.hidden = True  # type: ignore[attr-defined]
        return params


def paragraphs(text: str) -> str:
    """A text whose paragraphs are one line each, so that a terminal breaks them only where it must."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def short_line(text: str) -> str:
    """The first sentence of a text, without its full stop. If it does not fit on a line, only its first clause."""
    paragraph = " ".join(text.split("\n\n", 1)[0].split())
    sentence = re.split(r"(?<=[.])\s", paragraph, maxsplit=1)[0].removesuffix(".")
    return sentence if len(sentence) <= LINE else re.split("[,:] ", sentence, maxsplit=1)[0]
