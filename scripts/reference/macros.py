"""The macros' documentation, from the comments above them: a page, and the YAML files that dbt docs read."""

import inspect
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from scripts.reference.field_texts import NOTE

FOLDERS = {
    "macros/audience": "Who gets the letter",
    "macros/format": "How a field is printed",
    "macros/results": "What a mailing has brought",
    "macros/engine": "What differs between engines",
}
TESTS = "tests/dbt/generic"
ABOUT = """\
More, with examples: [rules.md](../rules.md), [formats.md](../formats.md). Models call them as
`dmail.NAME`. An argument of type `column` is SQL: a column, or an expression over columns."""
YAML_NOTE = "# Written by `make docs` from the comments above the macros: change it there."
MACRO = re.compile(
    r"(?:\{#(?P<comment>(?:(?!#\}).)*)#\}\s*)?"
    r"\{%-? (?P<kind>macro|test) (?P<name>\w+)\((?P<arguments>[^%]*?)\) -?%\}",
    re.DOTALL,
)
# One engine's version of a macro, or a part of one. The macro that dispatches to it has the documentation.
INTERNAL = re.compile(r"(?P<engine>default|duckdb|postgres|spark)_(_(?P<macro>\w+))?")
ARGUMENT = re.compile(r"(?P<name>\w+) \((?P<type>[^()]+)\): (?P<text>.+)", re.DOTALL)
TYPE = re.compile(r"any|bool|int|float|string|column|relation|(list|optional)\[(?P<inner>.+)\]|dict\[string, (?P<value>.+)\]")


@dataclass(frozen=True)
class Argument:
    """An argument of a macro, with its type in dbt's notation."""

    name: str
    type: str
    text: str


@dataclass(frozen=True)
class Macro:
    """A macro or generic test with its documentation. `signature`: its arguments with their defaults."""

    name: str
    signature: str
    text: str
    arguments: tuple[Argument, ...]

    @property
    def internal(self) -> bool:
        """Whether only one engine uses it."""
        return INTERNAL.match(self.name) is not None


def macros_page(root: Path) -> str:
    """The page: every macro by folder, without internal ones."""
    lines = [NOTE, "", "# Macros", "", "[Documentation](../README.md)", "", ABOUT, ""]
    for folder, title in FOLDERS.items():
        lines += [f"## {title}", ""]
        for macro in folder_macros(root / folder):
            if not macro.internal:
                lines += [f"### {macro.name}", "", f"`{macro.name}({macro.signature})`", "", *prose(macro.text)]
                lines += arguments_table(macro.arguments) if macro.arguments else ()
    return "\n".join(lines).rstrip() + "\n"


def macro_files(root: Path) -> dict[str, str]:
    """The YAML files by path: one for each folder."""
    folders = {folder: f"_{Path(folder).name}__macros.yml" for folder in FOLDERS} | {TESTS: "_generic__tests.yml"}
    return {f"{folder}/{file}": yaml_text(folder_macros(root / folder)) for folder, file in folders.items()}


def folder_macros(folder: Path) -> list[Macro]:
    """The macros of a folder, by name."""
    found = (macro for path in folder.glob("*.sql") for macro in macros(path.read_text(encoding="utf-8"), path.name))
    return sorted(found, key=lambda macro: (macro.internal, macro.name))


def macros(text: str, file: str) -> Iterator[Macro]:
    """The macros of a file. Exits if a macro that is not internal has no comment, or a comment with other arguments."""
    for found in MACRO.finditer(text):
        name = f"test_{found['name']}" if found["kind"] == "test" else found["name"]
        signature = " ".join(found["arguments"].split()).rstrip(",")
        comment = inspect.cleandoc(found["comment"] or "")
        if INTERNAL.match(name):
            yield Macro(name, signature, comment, ())
            continue
        if not comment:
            raise SystemExit(f"{file}: {name}() has no comment above it")
        described, arguments = parsed(comment, f"{file}: {name}()")
        given = argument_names(signature)
        if [argument.name for argument in arguments] != given:
            raise SystemExit(f"{file}: {name}() has the arguments {', '.join(given) or 'none'}, and its comment does not")
        yield Macro(name, signature, described, arguments)


def argument_names(signature: str) -> list[str]:
    """The names of a macro's arguments."""
    (macro,) = jinja2.Environment(autoescape=True).parse(f"{{% macro m({signature}) %}}{{% endmacro %}}").body
    return [argument.name for argument in macro.args] if isinstance(macro, jinja2.nodes.Macro) else []


def parsed(comment: str, where: str) -> tuple[str, tuple[Argument, ...]]:
    """A comment's text, and the arguments below `Arguments:`. Exits if an argument is not `name (type): meaning`."""
    before, marked, rest = comment.partition("\n\nArguments:\n")
    if not marked:
        return comment, ()
    listed, _, after = rest.partition("\n\n")
    arguments = []
    for entry in re.split(r"\n(?!     )", inspect.cleandoc(f"\n{listed}").replace("\n    ", "\n        ")):
        found = ARGUMENT.fullmatch(entry)
        if found is None or not is_type(found["type"]):
            raise SystemExit(f"{where}: `{entry.splitlines()[0]}` is not `name (type): meaning` with a type of dbt")
        arguments.append(Argument(found["name"], found["type"], " ".join(found["text"].split())))
    return f"{before}\n\n{after}" if after else before, tuple(arguments)


def is_type(text: str) -> bool:
    """Whether a text is a type as dbt writes them: https://docs.getdbt.com/reference/resource-properties/arguments."""
    found = TYPE.fullmatch(text)
    return found is not None and all(inner is None or is_type(inner) for inner in (found["inner"], found["value"]))


def prose(comment: str) -> Iterator[str]:
    """A comment as Markdown: indented parts become code."""
    for part in comment.split("\n\n"):
        yield from ("```text", inspect.cleandoc(f"\n{part}"), "```", "") if part.startswith("    ") else (part, "")


def arguments_table(arguments: Sequence[Argument]) -> list[str]:
    rows = (f"| `{one.name}` | `{one.type}` | {one.text.replace('|', '&#124;').replace('*', '&#42;')} |" for one in arguments)
    return ["| argument | type | meaning |", "| --- | --- | --- |", *rows, ""]


def yaml_text(documented: Sequence[Macro]) -> str:
    """A YAML file for dbt."""
    return "\n".join([YAML_NOTE, "macros:", *(line for macro in documented for line in yaml_entry(macro))]) + "\n"


def yaml_entry(macro: Macro) -> Iterator[str]:
    found = INTERNAL.match(macro.name)
    yield f"  - name: {macro.name}"
    if found:
        engine = {"default": "Most engines", "duckdb": "DuckDB", "postgres": "PostgreSQL", "spark": "Spark"}[found["engine"]]
        owner = engine + ("'" if engine.endswith("s") else "'s")
        text = f"{owner} `{found['macro']}()`." if found["macro"] else f"A part of the macros for {engine}."
        yield from (f"    description: {text}", "    config: {docs: {show: false}}")
        return
    text = raw(macro.text)
    if "\n" in text:
        yield "    description: |"
        yield from (f"      {line}".rstrip() for line in text.splitlines())
    else:
        yield f"    description: {quoted(text)}"
    # dbt does not know the arguments of generic tests, and would report those in the YAML as errors.
    listed = () if macro.name.startswith("test_") else macro.arguments
    if listed:
        yield "    arguments:"
    for one in listed:
        yield f"      - {{name: {one.name}, type: {quoted(one.type)}, description: {quoted(raw(one.text))}}}"


def quoted(text: str) -> str:
    """A text as a YAML value on one line."""
    return json.dumps(text, ensure_ascii=False)


def raw(text: str) -> str:
    """A text that dbt does not render."""
    return f"{{% raw %}}{text}{{% endraw %}}" if re.search(r"\{[{%]", text) else text
