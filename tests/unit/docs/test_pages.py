"""The documentation says what is so: every command, state and setting is in it, every shown line is understood, every link leads somewhere."""

import ast
import json
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import typer.main
import yaml
from scripts.reference.commands import commands

from dmail_runner.cli import app
from dmail_runner.declare.notices import Kind
from dmail_runner.ledger.run import STATES
from pages import PAGES, blocks, prose, shown_commands, words_of
from project import ROOT

PACKAGE = ROOT / "runner/dmail_runner"
RUNNER = sorted(PACKAGE.rglob("*.py"))
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(page))):
        if target.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(found), f"{target} has no such heading"


def anchors(page: Path) -> list[str]:
    """What the headings of a page are called in links."""
    headings = re.findall(r"(?m)^#+ (.*)$", prose(page))
    found = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert len(set(found)) == len(found), f"{page}: two headings are alike"
    return found


@pages
def test_every_shown_command_is_understood(page: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z0-9-]+):", (ROOT / "Makefile").read_text()))
    made = re.findall(r"(?m)(?:`|^ *\$ )make ([a-z0-9-]+)", page.read_text())
    assert set(made) <= targets
    for line in shown_commands(page):
        if "[OPTIONS]" not in line:
            understood(line)
    for line in re.findall(r"`(dmail-runner [^`\n]+)`", prose(page)):
        # In the text a command is often named without all that it needs.
        check_options(line, *found_command(words_of(line)))


def understood(line: str) -> None:
    """Every word of a line is read as the command reads it, and nothing is done."""
    command, words = found_command(words_of(line))
    if hasattr(command, "commands"):
        # No command of its own: its options would act at once.
        check_options(line, command, words)
    else:
        command.make_context("dmail-runner", words)


def check_options(line: str, command: Any, words: list[str]) -> None:
    """What looks like an option is one of the command's."""
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= {*known, "--help"}, line


def found_command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that is meant, and the words after it."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in (*command.commands, "COMMAND"), words
        command, words = command.commands.get(words[0], command), words[1:]
    return command, words


def test_units_and_orchestrators_start_what_there_is() -> None:
    """That the looks above find what others than a person type."""
    lines = {page.name: list(shown_commands(page)) for page in PAGES}
    assert lines["cron.md"] == ["dmail-runner run --due >> /var/log/dmail.log 2>&1"]
    assert lines["airflow.md"] == [
        "dmail-runner run --due",
        "dmail-runner run welcome_letter --slot 2027-03-01T06:00:00+00:00",
    ]
    assert lines["dagster.md"] == ["dmail-runner run --due"]
    for unit in (ROOT / "runner/dmail_runner/setup/starter/deploy/systemd").rglob("*.service"):
        for line in re.findall(r"(?m)^ExecStart=<<COMMAND>> (.*)$", unit.read_text()):
            understood(f"dmail-runner {line}")


@pages
def test_shown_files_can_be_read(page: Path) -> None:
    for language, text in blocks(page, "yaml", "python", "json"):
        if language == "python":
            ast.parse(text)
        else:
            yaml.safe_load(text)


@pages
def test_shown_entries_are_taken(page: Path) -> None:
    """What is shown of a YAML file is what it takes: whole entries, or a few keys of one."""
    for _, text in blocks(page, "yaml"):
        # Dates are no JSON.
        shown = json.loads(json.dumps(yaml.safe_load(text), default=str))
        if shown is not None and not OF_DBT & set(shown):
            name, entry = in_its_file(shown)
            schema = json.loads((ROOT / f"docs/schema/{name}.schema.json").read_text())
            faults = [fault.message for fault in jsonschema.Draft202012Validator(schema).iter_errors(entry)]
            assert [fault for fault in faults if "is a required property" not in fault or set(shown) & {"exposures"}] == [], text


OF_DBT = {
    "attach",
    "extensions",
    "secrets",
    "seeds",
    "sources",
    "vars",
}  # entries of dbt's own files, which test_other_sources.py applies
WHOLE_FILES = {
    **dict.fromkeys(("exposures", "models"), "campaign"),
    **dict.fromkeys(("owner", "channels"), "notices"),
    **dict.fromkeys(
        ("require_approval", "require_registers", "address_services", "approvers", "allow_hooks", "source_folders"), "policy"
    ),
}


def in_its_file(shown: Any) -> tuple[str, Any]:
    """Which file some keys belong to, and that file with them alone."""
    first, value = next(iter(shown.items()))
    if first in WHOLE_FILES:
        return WHOLE_FILES[first], shown
    if first in ("schedule", "waves", "guard", "recheck", "approval", "materials", "budget", "programme", "legal_basis"):
        return "campaign", {"exposures": [{"config": {"meta": {"direct_mail": shown}}}]}
    if first == "sources":
        return "campaign", shown
    if first == "encryption":
        return "routes", {"shown": {"type": "sftp", **shown}}
    if first in ("format", "split", "records", "tariff", "columns"):
        return "providers", {"shown": shown}
    marks = {"files": "inbound", "type": "routes", "order": "programmes"}
    return next((name for key, name in marks.items() if key in value), "providers"), shown


@pages
def test_shown_figures_add_up(page: Path) -> None:
    """Targeted is included and excluded; excluded are its reasons."""
    for _, text in blocks(page, "console", "text"):
        for part in re.split(r"(?m)^  (?=targeted )", text)[1:]:
            counts = [(len(blank), name, int(count.replace(",", ""))) for blank, name, count in FIGURE.findall("  " + part)]
            of = {name: count for _, name, count in counts}
            assert of["targeted"] == of["included"] + of["excluded"]
            assert of["excluded"] == sum(count for depth, _, count in counts if depth == 4)


FIGURE = re.compile(r"(?m)^( +)(\w+) +([\d,]+)$")


def test_every_command_has_an_example_and_is_in_the_guide() -> None:
    guide = (ROOT / "docs/guide.md").read_text()
    for name, command in commands(typer.main.get_command(app), "dmail-runner"):
        text, _, example = (command.help or "").partition("\n\nExample: ")
        assert text, f"{name} has a sentence that says what it does"
        assert example.startswith(name), f"{name} has an example"
        assert re.search(rf"`{name}\b|`{name.removeprefix('dmail-runner ')}\b", guide), name
        for one in command.params:
            assert getattr(one, "help", None), f"{name} {one.name} has a help text"


def test_every_state_hold_notice_and_exit_code_is_in_the_handbook() -> None:
    operations = (ROOT / "docs/operations.md").read_text()
    holds = set(hold_reasons())
    assert {"volume", "opt_out", "person", "unknown"} <= holds
    for word in (*(state for state in STATES if state != "held"), *(f"held: {hold}" for hold in holds), *get_args(Kind)):
        assert re.search(rf"(?m)^\| [^|]*`{word}`[^|]*\|[^|]*\w[^|]*\|[^|]*\w", operations), (
            f"{word}: what it means, what to type"
        )
    for code in (0, 1, 2, 3, 129, 130, 143):
        assert re.search(rf"(?m)^\| [^|]*\b{code}\b[^|]*\|[^|]*\w[^|]*\|[^|]*\w", operations), code


def hold_reasons() -> Iterator[str]:
    """The names that the runner gives to holds: as they stand in a call, or in a constant."""
    for path in RUNNER:
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            held = isinstance(call.func, ast.Name) and call.func.id == "Held"
            holds = isinstance(call.func, ast.Attribute) and call.func.attr == "hold" and len(call.args) in (3, 4)
            reason = call.args[0 if held else 1] if held or holds else None
            if isinstance(reason, ast.Constant):
                yield reason.value
            elif isinstance(reason, ast.Name) and reason.id.isupper():
                module = import_module(".".join(path.relative_to(ROOT / "runner").with_suffix("").parts))
                yield getattr(module, reason.id)


def test_every_setting_is_told() -> None:
    used = {
        name
        for folder in ("runner", "macros", "models", "profiles")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".sql", ".yml")
        for name in re.findall(r"\bDMAIL_[A-Z_]+", path.read_text())
    }
    told = re.findall(r"(?m)^\| `(DMAIL_[A-Z_]+)` \|", (ROOT / "docs/reference/environment.md").read_text())
    assert sorted(used) == sorted(told)


def test_the_index_leads_to_every_page() -> None:
    index = (ROOT / "docs/README.md").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.name == "README.md" or f"({page.relative_to(ROOT / 'docs')})" in index, page
        up = "../" * (len(page.relative_to(ROOT / "docs").parts) - 1)
        assert page.name == "README.md" or f"[Documentation]({up}README.md)" in page.read_text(), f"{page} has a way back"


def test_pictures_of_the_pages_are_there_and_small() -> None:
    """Those that a page shows, and no other."""
    shown = {
        name for page in PAGES for name in re.findall(r"(?:srcset|src)=\"([^\"]+)\"|!\[[^]]*\]\(([^)]+)\)", page.read_text())
    }
    names = {Path(name).name for pair in shown for name in pair if name}
    files = {path.name: path.stat().st_size for path in (ROOT / "docs/pictures").iterdir()}
    assert names == set(files)
    assert max(files.values()) < 200_000


def test_what_defends_is_there() -> None:
    """The modules that the threat model names, and for each line a test."""
    rows = [line.split("|") for line in (ROOT / "docs/threat-model.md").read_text().splitlines() if line.count("|") == 5]
    assert len(rows) > 20
    named = {name for row in rows for name in re.findall(r"`([a-z_/]+)`", row[3])}
    for name in named:
        assert (PACKAGE / f"{name}.py").is_file() or (PACKAGE / name).is_dir(), name
    there = {
        name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"(?m)^def (test_\w+)", file.read_text())
    }
    for row in rows[2:]:
        held_by = re.findall(r"`(test_\w+)`", row[4])
        assert held_by, row[1]
        assert set(held_by) <= there, f"{row[1]}: {set(held_by) - there}"


def test_headings_go_down_one_by_one() -> None:
    for page in PAGES:
        depths = [len(signs) for signs in re.findall(r"(?m)^(#+) ", prose(page))]
        assert depths[0] == 1, page
        assert depths.count(1) == 1, page
        assert all(after <= before + 1 for before, after in pairwise(depths)), page
