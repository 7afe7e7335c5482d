"""The page of macros, from the comments above them."""

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from scripts.reference.told import NOTE

TITLES = {"audience": "Who gets the letter", "format": "How a field is printed", "engine": "What differs between engines"}
ABOUT = """\
More, with examples: [rules.md](../rules.md), [formats.md](../formats.md). An argument called
`column`, `text` or the like is SQL: a column, or what is made of columns."""
MACRO = re.compile(r"(?:\{#(?P<told>(?:(?!#\}).)*)#\}\s*)?\{%-? macro (?P<name>\w+)\((?P<arguments>[^%]*?)\) -?%\}", re.DOTALL)


def macros_page(folder: Path) -> str:
    """Every macro that is called from elsewhere, by folder."""
    parts = [NOTE, "", "# Macros", "", ABOUT, ""]
    for name, title in TITLES.items():
        parts += [f"## {title}", ""]
        for path in sorted((folder / name).glob("*.sql")):
            for macro, arguments, told in macros(path.read_text(encoding="utf-8"), path.name):
                parts += [f"### {macro}", "", f"`{macro}({arguments})`", "", *prose(told), ""]
    return "\n".join(parts).rstrip() + "\n"


def macros(text: str, file: str) -> Iterator[tuple[str, str, str]]:
    """A file's macros: name, arguments, comment. What is of one engine is told by the macro that chooses among them.

    Exits where one has no comment.
    """
    for macro in MACRO.finditer(text):
        name = macro["name"]
        if re.match(r"[a-z]+__", name):
            continue
        if macro["told"] is None:
            raise SystemExit(f"{file}: {name}() has no comment above it")
        yield name, " ".join(macro["arguments"].split()).rstrip(","), inspect.cleandoc(macro["told"])


def prose(comment: str) -> Iterator[str]:
    """A comment as Markdown: its arguments as a table, and what else is indented as it stands."""
    before = ""
    for indented, text in parts(comment):
        if not indented:
            yield text
        elif before.rpartition("\n\n")[2].startswith("Arguments"):
            yield from ("", "| argument | meaning |", "| --- | --- |", *arguments_table(text), "")
        else:
            yield from ("```text", text, "```", "")
        before = text


def parts(comment: str) -> Iterator[tuple[bool, str]]:
    """The parts of a comment that are indented, and those between them."""
    found: list[str] = []
    inside = False
    for line in comment.splitlines():
        if line and line.startswith("  ") != inside:
            yield inside, textwrap.dedent("\n".join(found)).strip("\n")
            found, inside = [], not inside
        found.append(line)
    yield inside, textwrap.dedent("\n".join(found)).strip("\n")


def arguments_table(text: str) -> Iterator[str]:
    """A row for each argument; what is said in further lines belongs to it."""
    for entry in re.split(r"\n(?! )", text):
        name, *told = re.split(r"  +", entry, maxsplit=1)
        # Values with their meanings stand in lines of their own.
        lines = re.sub(r"\n +(?=\S+  )", "<br>", "".join(told).replace("|", "\\|").replace("*", "\\*"))
        meaning = re.sub(r"(^|<br>)(\S+)  +(?=\S)", r"\1`\2` ", lines)
        yield f"| `{name}` | {' '.join(meaning.split())} |"
