"""What a page tells its reader to type is typed, line by line, in a copy of the project, and does what the page says."""

import csv
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from demo import Demo
from pages import blocks
from project import DONE, FILE, ROOT, SLOT, Project, surroundings
from warm import ask


@dataclass
class Reader:
    """Somebody who does what a page says. `prints`: what came of each line."""

    project: Project
    dbt: str  # where processes are forked that have imported it
    prints: dict[str, str] = field(default_factory=dict)

    def follow(self, page: str) -> None:
        for language, text in blocks(ROOT / "docs" / page, "console", "diff", "sql", "yaml"):
            if language == "diff":
                subprocess.run(["git", "apply", "-"], cwd=self.project.path, input=text, text=True, check=True)
            elif name := re.match(r"-- (\w+\.sql)\n", text):
                (self.project.path / name[1]).write_text(text)
            elif name := re.match(r"# (profiles/\w+\.yml)\n", text):
                with (self.project.path / name[1]).open("a") as file:
                    file.write(text)
            elif language == "console":
                for line, shown in typed(text):
                    self.type(line, shown)

    def type(self, line: str, shown: list[str]) -> None:
        """Type a line; it must end well, and print what is shown below it. `|| echo` says that it must not end well."""
        if line.startswith(("make ", "source ")):
            return
        command, _, otherwise = line.replace("PROFILE_ID", self.somebody).partition(" || echo ")
        done = self.run(command)
        assert (done.returncode == DONE) != bool(otherwise), f"{line}\n{done.stdout}\n{done.stderr}"
        self.prints[line] = done.stdout
        for expected in shown:
            assert expected in ("...", *map(str.strip, done.stdout.splitlines())), f"{line} does not print: {expected}"

    @property
    def somebody(self) -> str:
        """A person that a command has shown."""
        return next(iter(re.findall(r"(?:Customer ID +|came back.*?,)(\d+)", "\n".join(self.prints.values()))), "nobody")

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        words = shlex.split(command)
        if words[-2:] == ["||", "true"]:
            done = self.run(command.removesuffix(" || true"))
            done.returncode = DONE
            return done
        given = dict(word.split("=", maxsplit=1) for word in words if re.match(r"[A-Z_]+=", word))
        words = words[len(given) :]
        if words[0] == "dmail-runner":
            return self.project.call(*words[1:], **given)
        environment = {
            **surroundings(),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DBT_PROFILES_DIR": "profiles",
        }
        if words[0] == "dbt":
            code = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *words[1:]]
            return ask(self.dbt, code, cwd=self.project.path, env=environment)
        return subprocess.run(
            command, shell=True, cwd=self.project.path, env=environment, capture_output=True, text=True, check=False
        )


def typed(text: str) -> Iterator[tuple[str, list[str]]]:
    """The lines of a console, each with what is shown of what it prints."""
    for part in re.split(r"(?m)^\$ ", text)[1:]:
        line, *shown = part.splitlines()
        yield line, [one.strip() for one in shown if one.strip()]


@pytest.fixture
def reader(project: Project, warm_dbt: str) -> Reader:
    return Reader(project, warm_dbt)


def test_the_tutorial(reader: Reader) -> None:
    project = reader.project
    Demo(project).check()
    reader.follow("tutorial.md")
    new = reader.prints["dmail-runner new thank_you"].splitlines()
    assert sum(line.startswith("models/campaigns/thank_you/") for line in new) == 5
    dry, approval = (
        reader.prints[f"dmail-runner {command}"] for command in ("run thank_you --dry-run", "approve thank_you --show")
    )
    page = (ROOT / "docs/tutorial.md").read_text()
    shown = page[page.index("dry run: nothing was") :].split("```")[0]
    assert figures(dry) <= figures(shown), "the reasons that the page shows; so few profiles may lack one"
    assert {"targeted", "excluded", "included"} <= figures(approval)
    own = reader.prints["DMAIL_PROFILES=my_export.csv dmail-runner run thank_you --dry-run"]
    (included,) = re.findall(r"(?m)^  included +([\d,]+)$", own)
    (mailed,) = re.findall(r"(?m)^delivered +thank_you .*", reader.prints["dmail-runner status"])
    assert included in mailed.split(), "the same people as before"
    (file,) = [name for name in project.delivered if re.fullmatch(r"thank_you_\d{8}T1[01]0000Z\.csv", name)]
    (test,) = [name for name in project.delivered if re.fullmatch(r"thank_you_\w+_TEST_\w+\.csv", name)]
    with (project.path / "outbox" / file).open() as content:
        assert next(csv.reader(content))[:4] == ["Customer ID", "Full Name", "Company", "Address 1"]
    assert f"==> outbox/{test} <==" in reader.prints["head -3 outbox/thank_you_*.csv"]
    assert [run["state"] for run in project.status() if run["campaign"] == "thank_you"] == ["settled"]
    assert (project.path / "site/campaign/thank_you.html").is_file()
    assert "thank_you__extract" in (project.path / "site/lineage.html").read_text()


def figures(text: str) -> set[str]:
    """The names of the figures that are shown."""
    return set(re.findall(r"(?m)^ +(\w+) +[\d,]+$", text))


def test_returns_are_out_of_the_next_file_until_the_address_changes(reader: Reader) -> None:
    project = reader.project
    assert project.run(SLOT).returncode == DONE
    with (project.path / "outbox" / FILE).open() as content:
        back = [row for row in csv.DictReader(content) if row["Customer ID"].isdigit()][:2]
    (project.path / "outbox/returns").mkdir()
    lines = [f"{row['Piece ID']},moved,2026-11-09\n" for row in back]
    (project.path / "outbox/returns/one.csv").write_text("piece_id,reason,happened_at\n" + "".join(lines))
    reader.prints["the file"] = f"Customer ID {back[0]['Customer ID']}"
    reader.follow("howto/returns.md")
    assert "acme_returns: returns/one.csv, 2 rows" in reader.prints["dmail-runner fetch"]
    project.edit("data/profiles.csv", f"{back[1]['Address 1']},", "4 New Address Road,")
    before = project.call("explain", "spring_catalog", back[1]["Customer ID"], "--slot", SLOT)
    assert "the sources or the SQL have changed since the last build of int_keyed_addresses, stg_profiles" in before.stderr
    assert project.call("run", "spring_catalog", "--slot", "2026-11-16T11:00Z", "--dry-run").returncode == DONE
    stayed, moved = (project.call("explain", "spring_catalog", row["Customer ID"], "--slot", SLOT).stdout for row in back)
    assert (stayed.count("list: returned_mail"), moved.count("list: returned_mail")) == (1, 0)


def test_a_new_mail_house_gets_its_format(reader: Reader) -> None:
    reader.follow("howto/new-provider.md")
    check, preview, proof = reader.prints.values()
    assert "a thousand pieces cost about 530.00 EUR" in check
    head, *rows = preview.splitlines()
    assert head.startswith("Customer ID;Full Name;Company;")
    assert len(rows) == 3
    assert proof.count("_TEST_") == 1
    (file, checksum) = sorted(name for name in reader.project.delivered if "_TEST_" in name)
    assert checksum == f"{file}.sha256"
