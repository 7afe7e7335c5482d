"""New campaigns and projects pass every check as they are, also from an installed wheel."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import yaml

from dmail_runner.setup.copy_campaign import copy_campaign
from project import COMPILED, DONE, ROOT, WRONG, Project, surroundings
from warm import ask

BIN = Path(sys.executable).parent
LONG = "a_campaign_whose_name_is_as_long_as_a_name_can_be1"
COPIES = {"spring_catalog": "autumn_catalog", "loyalty_offer": LONG, "renewal_notice": "fee", "welcome_letter": "hello"}


def exposure(project: Project, name: str) -> dict[str, Any]:
    file = project.path / f"models/campaigns/{name}/_{name}__exposures.yml"
    (found,) = yaml.safe_load(file.read_text())["exposures"]
    return {**found, **found["config"]["meta"]["direct_mail"]}


def test_new_campaigns_are_drafts_that_pass_the_checks_and_their_own_tests(project: Project, warm_dbt: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", project.path)
    written = project.call("new", "summer_sale")
    assert written.returncode == DONE, written.stderr
    assert "next: dmail-runner check summer_sale" in written.stdout
    for other, name in COPIES.items():
        assert project.call("new", name, "--like", other).returncode == DONE
    assert not list(project.path.glob(".dmail-new-*"))

    assert {exposure(project, name)["status"] for name in ("summer_sale", *COPIES.values())} == {"draft"}
    assert exposure(project, "autumn_catalog")["file"]["name"] == "inbound/autumn_catalog.csv"
    assert exposure(project, LONG)["file"]["name"] == f"loyalty/{LONG}.txt"
    assert exposure(project, "hello")["label"] == "Hello"
    assert exposure(project, "autumn_catalog")["schedule"] == exposure(project, "spring_catalog")["schedule"]
    copy = "".join(path.read_text() for path in (project.path / "models/campaigns/autumn_catalog").iterdir())
    assert "spring_catalog" not in copy

    checked = project.call("check")
    assert checked.returncode == DONE, checked.stderr
    assert "9 campaigns, no errors" in checked.stdout
    formatted = subprocess.run(
        [BIN / "sqlfmt", "--check", "models"], cwd=project.path, capture_output=True, text=True, check=False
    )
    assert formatted.returncode == 0, formatted.stderr
    build = ["build", "--select", "+exposure:summer_sale", "+exposure:autumn_catalog"]
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *build]
    built = ask(warm_dbt, command, cwd=project.path, env={**surroundings(), "DBT_PROFILES_DIR": "profiles"})
    assert built.returncode == 0, built.stdout
    assert "summer_sale_gives_the_first_reason" in built.stdout
    assert "autumn_catalog_gives_the_first_reason" in built.stdout


REFUSED = {
    ("Summer",): "is not allowed as a campaign's name",
    ("summer__sale",): "is not allowed as a campaign's name",
    ("../summer",): "is not allowed as a campaign's name",
    ("null",): "is not allowed as a campaign's name",
    ("a" * 51,): "is not allowed as a campaign's name",
    ("spring_catalog",): "exists",
    ("spring_catalog", "--like", "loyalty_offer"): "exists",
    ("winter", "--like", "nobody"): "there are: loyalty_offer, renewal_notice, spring_catalog, welcome_letter",
}


def test_what_cannot_be_begun_is_refused_and_nothing_is_written(project: Project) -> None:
    def there() -> list[Path]:
        return sorted(path for path in project.path.rglob("*") if "log" not in path.parts)

    before = there()
    for arguments, told in REFUSED.items():
        refused = project.call("new", *arguments)
        assert refused.returncode == WRONG, refused.stderr
        assert told in refused.stderr
    assert there() == before


def test_only_the_campaigns_own_name_changes(tmp_path: Path) -> None:
    """A name that is a word of the language, or a part of another, leaves those alone."""
    (tmp_path / "hello__extract.sql").write_text(
        "-- hello from {{ ref('hello__audience') }}\nselect hello_count, 'hello' as x from {{ ref('hello_offers') }}\n"
    )
    (tmp_path / "hello.yml").write_text(
        "models:\n  - name: hello__extract # as hello__extract.sql says\n    description: we say hello\n"
        "unit_tests:\n  - {name: hello_works, model: hello__extract, given: [{rows: [{campaign: hello, other: hello you}]}]}\n"
        "exposures:\n  - name: hello\n    label: Hi\n    config:\n      meta: {direct_mail: {status: active, file: {name: 'a/{slot:%d/%m}.csv'}}}\n"
    )
    copies = copy_campaign(sorted(tmp_path.iterdir()), "hello", "say_hello")
    assert copies["say_hello__extract.sql"] == (
        "-- hello from {{ ref('say_hello__audience') }}\nselect hello_count, 'say_hello' as x from {{ ref('hello_offers') }}\n"
    )
    assert yaml.safe_load(copies["say_hello.yml"]) == {
        "models": [{"name": "say_hello__extract", "description": "we say hello"}],
        "unit_tests": [
            {
                "name": "say_hello_works",
                "model": "say_hello__extract",
                "given": [{"rows": [{"campaign": "say_hello", "other": "hello you"}]}],
            }
        ],
        "exposures": [
            {
                "name": "say_hello",
                "label": "Say hello",
                "config": {"meta": {"direct_mail": {"status": "draft", "file": {"name": "a/say_hello_{slot:%d/%m}.csv"}}}},
            }
        ],
    }
    assert "# as say_hello__extract.sql says" in copies["say_hello.yml"]


def test_a_project_begun_by_an_installed_wheel_delivers(tmp_path: Path) -> None:
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, ROOT]
    subprocess.run(wheel, check=True, capture_output=True)
    (file,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "installed")
    environment = {**surroundings(), "PYTHONPATH": str(tmp_path / "installed"), "PYTHONPYCACHEPREFIX": f"{COMPILED}-wheel"}

    def call(*arguments: str, folder: str = "") -> str:
        command = [sys.executable, "-P", "-c", "import dmail_runner.cli as cli; print(cli.__file__); cli.main()", *arguments]
        done = subprocess.run(command, cwd=tmp_path / folder, env=environment, capture_output=True, text=True, check=False)
        assert done.stdout.startswith(str(tmp_path / "installed")), "it is the wheel that runs"
        assert done.returncode == DONE, done.stderr
        return done.stdout

    assert "dmail-runner run first_letter" in call("init", "letters")
    call("sample-data", "--rows", "500", folder="letters")
    assert "delivered" in call("run", folder="letters"), "of all active campaigns"
    project = Project(tmp_path / "letters")
    assert [name.startswith("first_letter_") for name in project.delivered] == [True]
    assert (project.path / "dbt_project.yml").read_text().startswith("name: letters\n")
    assert "/.dmail/" in (project.path / ".gitignore").read_text()
    assert not os.path.lexists(project.path / "models/campaigns/spring_catalog")
    again = Project(tmp_path).call("init", "letters")
    assert again.returncode == WRONG
    assert "letters exists" in again.stderr
