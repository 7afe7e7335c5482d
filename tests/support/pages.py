"""The pages of the documentation, and what they show."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from project import ROOT

OF_THE_ROOT = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
PAGES = sorted([*(ROOT / name for name in OF_THE_ROOT), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
# Before the command: a prompt with settings, or another command, or its folder.
TYPED = re.compile(r"(?m)(?:^ *(?:\$ )?(?:[A-Z_]+=\S+ )*|&& |\./|bin/)(dmail-runner (?!\.).*)$")
# What stands for something of the reader's own, and what else stands in its place here.
STANDS_FOR = {"CAMPAIGN": "spring_catalog", "NAME": "spring_catalog", "RUN": "spring_catalog-20270301T110000Z", "…": "x"}


def blocks(page: Path, *languages: str) -> Iterator[tuple[str, str]]:
    """The fenced blocks of a page: language and text."""
    for indent, language, text in BLOCK.findall(page.read_text()):
        if language in languages or not languages:
            yield language, re.sub(f"(?m)^{indent}", "", text)


def prose(page: Path) -> str:
    """A page without its blocks."""
    return BLOCK.sub("", page.read_text())


def shown_commands(page: Path) -> Iterator[str]:
    """Every call of the runner that a page shows as typed: in a console, a crontab, a unit, or by Python."""
    for language, text in blocks(page):
        yield from python_commands(text) if language == "python" else TYPED.findall(text)


def python_commands(text: str) -> Iterator[str]:
    """The calls in a script: a shell's line, with its templates filled, or a list of words."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from TYPED.findall(re.sub(r"\{\{.*?\}\}", "2027-03-01T06:00:00+00:00", node.value))
        elif isinstance(node, ast.List) and all(isinstance(word, ast.Constant) for word in node.elts):
            words = [str(ast.literal_eval(word)) for word in node.elts]
            if words and words[0].endswith("/dmail-runner"):
                yield shlex.join(["dmail-runner", *words[1:]])


def words_of(line: str) -> list[str]:
    """What is typed after the program's name."""
    words = shlex.split(re.split(r" *(?:\||&&|>>?|2>|; )", line)[0], comments=True)
    return [STANDS_FOR.get(word, word) for word in words[words.index("dmail-runner") + 1 :]]
