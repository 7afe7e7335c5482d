"""The files of a project that somebody has are extended, not rewritten."""

from pathlib import Path

import pytest
import yaml

from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.setup.existing import Addition, add, with_lines, with_package, with_variables

PACKAGES = {
    "": ["dmail_packages/dmail"],
    "packages:\n  - package: dbt-labs/dbt_utils # ours\n    version: 1.3.0\n": ["dmail_packages/dmail", "dbt-labs/dbt_utils"],
    "# why\npackages: # all\n\n- git: https://example.org/a.git\n  revision: 1.0.0": [
        "dmail_packages/dmail",
        "https://example.org/a.git",
    ],
}


@pytest.mark.parametrize("old", PACKAGES)
def test_the_package_is_added_to_the_list(tmp_path: Path, old: str) -> None:
    (tmp_path / "packages.yml").write_text(old)
    before, after = with_package(tmp_path)
    assert before == old
    entries = yaml.safe_load(after)["packages"]
    assert [entry.get("local") or entry.get("package") or entry.get("git") for entry in entries] == PACKAGES[old]
    assert all(line in after.splitlines() for line in old.splitlines())


def test_packages_in_another_form_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "packages.yml").write_text("packages: [{local: ../a}]\n")
    with pytest.raises(UsageError, match=r"packages\.yml has another form") as refused:
        with_package(tmp_path)
    assert "- local: dmail_packages/dmail" in str(refused.value.todo)


VARIABLES = {
    "name: shop\n": {"home_country": "US"},
    "name: shop\nvars:\n  # ours\n  start: '2020-01-01'\nmodels: {}\n": {"home_country": "US", "start": "2020-01-01"},
    "name: shop\nvars:\n    home_country: DE": {"home_country": "DE"},
}


@pytest.mark.parametrize("old", VARIABLES)
def test_variables_are_added_beside_those_that_are_there(tmp_path: Path, old: str) -> None:
    (tmp_path / "dbt_project.yml").write_text(old)
    before, after = with_variables(tmp_path, {"home_country": "US"})
    assert before == old
    assert yaml.safe_load(after)["vars"] == VARIABLES[old]
    assert all(line in after.splitlines() for line in old.splitlines())


def test_variables_in_flow_style_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: shop\nvars: {start: 1}\n")
    with pytest.raises(UsageError, match="block style"):
        with_variables(tmp_path, {"home_country": "US"})


def test_lines_are_added_once(tmp_path: Path) -> None:
    path = tmp_path / ".gitignore"
    assert with_lines(path, ["/a/"]) == ("", "/a/\n")
    path.write_text("target/")
    assert with_lines(path, ["/a/", "target/"]) == ("target/", "target/\n/a/\n")
    path.write_text("/a/\n")
    assert with_lines(path, ["/a/"]) == ("/a/\n", "/a/\n")


def test_a_project_is_left_as_it_was_if_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: shop\n")
    (tmp_path / "models").write_text("a file where a folder should be\n")
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)
    addition = Addition(
        {"profiles/routes.yml": "x\n", "models/dmail/a.sql": "select 1\n"},
        {"dbt_project.yml": ("name: shop\n", "name: shop\nvars: {}\n")},
        Path("dbt_packages"),
        (),
    )
    with pytest.raises(OSError, match="models"):
        add(settings, addition)
    assert sorted(path.name for path in tmp_path.rglob("*") if not path.is_dir()) == ["dbt_project.yml", "models"]
    assert (tmp_path / "dbt_project.yml").read_text() == "name: shop\n"
