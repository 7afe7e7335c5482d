"""The sizes that CONTRIBUTING.md promises: modules, test files, functions and commands that fit on a screen."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from project import ROOT

MODULE, TEST_FILE, FUNCTION, COMMAND = 299, 400, 45, 19  # the most lines that each may have

FOLDERS = ("runner", "scripts", "bench", "tests")
FILES = sorted(path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The number of lines below the docstring."""
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def too_long(source: str, path: Path) -> Iterator[str]:
    """What is longer in a file than its limit."""
    lines, limit = len(source.splitlines()), TEST_FILE if path.parts[0] == "tests" else MODULE
    if lines > limit:
        yield f"{path}: {lines} lines, at most {limit}"
    for function in functions(source):
        whole = (function.end_lineno or 0) - function.lineno + 1
        if whole > FUNCTION:
            yield f"{path}:{function.lineno}: {function.name} has {whole} lines, at most {FUNCTION}"
        if path.parts[:3] == ("runner", "dmail_runner", "cli") and body(function) > COMMAND:
            yield f"{path}:{function.lineno}: the body of {function.name} has {body(function)} lines, at most {COMMAND}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_files_functions_and_commands_are_short(folder) -> None:
    found = [fault for path in FILES if path.parts[0] == folder for fault in too_long((ROOT / path).read_text(), path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "source", "fault"),
    [
        ("runner/dmail_runner/run/a.py", "x = 1\n" * 300, "300 lines"),
        ("tests/unit/test_a.py", "x = 1\n" * 401, "401 lines"),
        ("scripts/a.py", "def long():\n" + "    x = 1\n" * 45, "long has 46 lines"),
        ("tests/support/a.py", "class A:\n    async def long(self):\n" + "        x = 1\n" * 45, "long has 46 lines"),
        ("runner/dmail_runner/cli/a.py", 'def run():\n    """Run."""\n' + "    x = 1\n" * 20, "body of run has 20 lines"),
    ],
)
def test_what_is_too_long_is_found(path, source, fault) -> None:
    (found,) = too_long(source, Path(path))
    assert fault in found


def test_what_fits_is_not_reported() -> None:
    source = 'def run():\n    """Run."""\n' + "    x = 1\n" * 19
    assert not list(too_long(source, Path("runner/dmail_runner/cli/a.py")))


def test_git_ignores_what_it_ignores_in_a_new_project() -> None:
    """The ledger, the spool and the warehouse have personal data, also in a clone of this project."""
    given = (ROOT / "runner/dmail_runner/setup/starter/project/gitignore").read_text().splitlines()
    own = (ROOT / ".gitignore").read_text().splitlines()
    assert "/.dmail/" in own
    assert not {line for line in given if line.startswith("/")} - {"/dbt_packages/"} - set(own)
