"""What a release and a new contributor rely on: one version, a list of targets, decision records of one form."""

import re
import subprocess
import tomllib

import pytest
import yaml

from project import ROOT

RECORDS = sorted((ROOT / "docs/adr").glob("*.md"))


def test_one_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert yaml.safe_load((ROOT / "dbt_project.yml").read_text())["version"] == version
    first, second = re.findall(r"(?m)^## (\S+)", changes)[:2]
    assert (first, second) == ("Unreleased", version)


def test_make_help_lists_every_target() -> None:
    (phony,) = re.findall(r"(?m)^\.PHONY: (.*)$", (ROOT / "Makefile").read_text())
    shown = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"(?m)^  make (\S+) +\w", shown) == phony.split()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_record_has_its_parts_and_is_listed(record) -> None:
    text = record.read_text()
    assert re.findall(r"(?m)^## (.*)$", text) == ["Context", "Decision", "Consequences"]
    assert re.match(rf"# {int(record.stem[:4])}\. .+\n\n\*\*Status:\*\* (proposed|accepted|superseded by .+)\.\n", text)
    assert f"(adr/{record.name})" in (ROOT / "docs/architecture.md").read_text()


def test_issue_forms_ask_for_what_a_maintainer_needs() -> None:
    forms = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")}
    required = {entry["id"] for entry in forms["bug"]["body"] if entry.get("validations", {}).get("required")}
    assert {"version", "doctor", "commands", "happened", "expected"} <= required
    for name in ("bug", "feature"):
        (private,) = [entry for entry in forms[name]["body"] if entry.get("id") == "private"]
        assert all(option["required"] for option in private["attributes"]["options"]), "nobody posts personal data unasked"
