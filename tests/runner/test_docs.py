"""The documentation says what is so: every command, key, macro and setting is in it, every shown line runs, every link leads somewhere."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import typer.main
import yaml
from conftest import DONE, ROOT, Project, surroundings
from warm import ask

from runner.cli import app
from runner.notice import Kind
from runner.run import STATES
from scripts.reference.__main__ import stale
from scripts.reference.commands import commands
from scripts.reference.macros import macros

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
# What stands for something of the reader's own, and what else stands in its place here.
STANDS_FOR = {"CAMPAIGN": "spring_catalog", "NAME": "spring_catalog", "RUN": "spring_catalog-20270301T110000Z", "…": "x"}
HOLDS = ("volume", "opt_out", "approval", "person", "conflict", "unknown")


def blocks(page: Path, *languages: str) -> Iterator[tuple[str, str]]:
    """The fenced blocks of a page: language and text."""
    for indent, language, text in BLOCK.findall(page.read_text()):
        if language in languages:
            yield language, re.sub(f"(?m)^{indent}", "", text)


def shown_commands(page: Path) -> Iterator[str]:
    """Every call of the runner that a page shows, in blocks and in the text."""
    text = page.read_text()
    shown = "\n".join(block for *_, block in BLOCK.findall(text))
    yield from re.findall(r"(?m)^ *(?:\$ )?((?:[A-Z_]+=\S+ )*dmail-runner .*)$", shown)
    yield from re.findall(r"`(dmail-runner [^`\n]+)`", BLOCK.sub("", text))


def words_of(line: str) -> list[str]:
    """What is typed after the program's name."""
    words = shlex.split(re.split(r" *(?:\||&&|>>|2>|; )", line)[0], comments=True)
    words = words[words.index("dmail-runner") + 1 :]
    return [STANDS_FOR.get(word, word) for word in words]


def test_the_reference_is_as_the_code_says() -> None:
    assert stale() == [], "make docs writes it"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", page.read_text()))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} is not there"
        if anchor:
            headings = re.findall(r"(?m)^#+ (.*)$", BLOCK.sub("", found.read_text()))
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{target} has no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_shown_command_is_understood(page: Path) -> None:
    root = typer.main.get_command(app)
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    for line in re.findall(r"(?m)^ *(?:\$ )?make ([a-z]+)", "\n".join(block for *_, block in BLOCK.findall(page.read_text()))):
        assert line in targets
    for line in shown_commands(page):
        if "COMMAND" in line or "[OPTIONS]" in line:
            continue
        command: Any = root
        words = words_of(line)
        while hasattr(command, "commands") and words and not words[0].startswith("-"):
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        if words == ["--help"] or command is root or (words == [] and "$ " not in line):
            continue
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known, line
        # In the text a command is often named without all that it needs.
        if f"`{line}`" not in page.read_text():
            command.make_context("dmail-runner", words)


def test_everything_is_told_somewhere() -> None:
    operations = (ROOT / "docs/operations.md").read_text()
    for word in (*STATES, *(f"held: {hold}" for hold in HOLDS), *get_args(Kind)):
        assert f"`{word}`" in operations or word == "held", word
    readme = (ROOT / "README.md").read_text()
    for name, command in commands(typer.main.get_command(app), "dmail-runner"):
        assert "\n\nExample: dmail-runner " in command.help.replace("\n    ", "\n"), f"{name} --help has no example"
        assert re.search(rf"`{name}\b|`{name.removeprefix('dmail-runner ')}\b", readme), name
    index = (ROOT / "docs/README.md").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.name == "README.md" or f"({page.relative_to(ROOT / 'docs')})" in index, page
    settings = (ROOT / "docs/reference/environment.md").read_text()
    places = [
        path for folder in ("runner", "macros", "models", "profiles") for path in (ROOT / folder).rglob("*") if path.is_file()
    ]
    used = {
        name
        for path in places
        if path.suffix in (".py", ".sql", ".yml")
        for name in re.findall(r"\bDMAIL_[A-Z_]+", path.read_text())
    }
    assert used == set(re.findall(r"DMAIL_[A-Z_]+", settings))
    for macro in sorted((ROOT / "macros").rglob("*.sql")):
        assert list(macros(macro.read_text())), f"{macro}: a comment above the macro says what it is"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_shown_files_can_be_read(page: Path) -> None:
    for language, text in blocks(page, "yaml", "python", "json"):
        if language == "python":
            ast.parse(text)
        else:
            yaml.safe_load(text)


def schema(name: str) -> Any:
    found = json.loads((ROOT / f"docs/schema/{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def test_editors_take_the_files_that_the_runner_takes() -> None:
    for name in ("providers", "routes"):
        schema(name).validate(yaml.safe_load((ROOT / f"profiles/{name}.yml").read_text()))
    for contract in (ROOT / "profiles/contracts").glob("*.yml"):
        schema("contract").validate(yaml.safe_load(contract.read_text()))
    for page, name in (("howto/new-provider.md", "providers"), ("howto/new-route.md", "routes"), ("operations.md", "notices")):
        shown = [yaml.safe_load(text) for _, text in blocks(ROOT / "docs" / page, "yaml")]
        assert shown
        for entry in filter(None, shown):
            schema(name).validate(entry)
    for file in (ROOT / "models/campaigns").rglob("*.yml"):
        # Dates are no JSON.
        schema("campaign").validate(json.loads(json.dumps(yaml.safe_load(file.read_text()), default=str)))


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("providers", {"label": "x", "route": "y", "formt": {"type": "csv"}}),
        ("providers", {"label": "x", "route": "y", "format": {"type": "xml"}}),
        ("providers", {"label": "x", "route": "y", "format": {"type": "delimited"}}),
        ("providers", {"label": "x", "route": "y", "retention_days": "many"}),
        ("providers", {"label": "x"}),
        ("routes", {"type": "sftp", "host": "h", "user": "u", "password": "p"}),
        ("routes", {"type": "folder", "path": "p", "mode": 420}),
        ("routes", {"path": "p"}),
        ("routes", {"type": "s3", "bucket": "b", "container": "c"}),
    ],
)
def test_editors_refuse_what_the_runner_refuses(name: str, entry: dict[str, Any], project: Project) -> None:
    with pytest.raises(jsonschema.ValidationError):
        schema(name).validate({"wrong": entry})
    file = project.path / f"profiles/{name}.yml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "wrong": entry}))
    project.edit("profiles/providers.yml", "route: outbox", "route: wrong") if name == "routes" else project.edit(
        "models/campaigns/spring_catalog/_spring_catalog__exposures.yml", "provider: acme_print", "provider: wrong"
    )
    assert project.call("check", "spring_catalog").returncode == 2


def test_editors_take_settings_in_place_of_values() -> None:
    schema("providers").validate(
        {"x": {"label": "x", "route": "{{ env_var('R') }}", "retention_days": "{{ env_var('DAYS', '3') }}"}}
    )
    with pytest.raises(jsonschema.ValidationError):
        schema("campaign").validate(
            {"exposures": [{"config": {"meta": {"direct_mail": {"status": "on", "provider": "x", "file": {"name": "f"}}}}}]}
        )


def test_the_tutorial_works_word_for_word(project: Project, warm_dbt: str) -> None:
    environment = {
        **surroundings(),
        "DBT_PROFILES_DIR": "profiles",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    assert project.run().returncode == DONE, "what make demo does"
    told = []
    for language, text in blocks(ROOT / "docs/tutorial.md", "console", "diff"):
        if language == "diff":
            subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=project.path, input=text, text=True, check=True)
            continue
        for typed in re.findall(r"(?m)^\$ (.*)$", text):
            line = typed
            if line.startswith(("make ", "source ")):
                continue
            if "PROFILE_ID" in line:
                shown = re.search(r"Customer ID +(\d+)", "\n".join(told))
                line = line.replace("PROFILE_ID", shown[1] if shown else "preview showed none")
            if line.startswith("dmail-runner "):
                done = project.call(*shlex.split(line)[1:])
            elif line.startswith("dbt "):
                words = shlex.split(line.partition(" ||")[0])[1:]
                done = ask(
                    warm_dbt,
                    [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *words],
                    cwd=project.path,
                    env=environment,
                )
                done.returncode = int(done.returncode == 0) if "||" in line else done.returncode
            else:
                done = subprocess.run(
                    line, shell=True, cwd=project.path, env=environment, capture_output=True, text=True, check=False
                )
            assert done.returncode == DONE, f"{line}\n{done.stdout}\n{done.stderr}"
            told.append(done.stdout)
    assert [name for name in project.delivered if name.startswith("thank_you_")]
    head = next(text for text in told if text.startswith(("==>", "Customer ID,")))
    assert "Customer ID,Full Name,Company,Address 1" in head
    assert [run["campaign"] for run in project.status()].count("thank_you") == 1
    assert (project.path / "site/campaign/thank_you.html").is_file()
    assert "thank_you__extract" in (project.path / "site/lineage.html").read_text()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_and_campaigns(project: Project, shell: str) -> None:
    script = "import sys; sys.argv[0] = 'dmail-runner'; from runner.cli import main; main()"

    def offered(*words: str) -> str:
        line = " ".join(["dmail-runner", *words])
        asked = {
            "_DMAIL_RUNNER_COMPLETE": f"complete_{shell}", "COMP_WORDS": line, "COMP_CWORD": str(len(words)),
            "_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=project.path / "models",
            env={**surroundings(), **asked},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout

    assert "resume" in offered("re")
    assert "report" in offered("re")
    assert "spring_catalog" in offered("run", "spr")
    assert "loyalty_offer" not in offered("run", "spr")
