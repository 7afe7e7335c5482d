"""The files that start the runner name what it needs, and hold no secret."""

import ast
import configparser
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.setup.deploy import ORCHESTRATORS, deployment_files, find_needed, write_deployment

ROUTES = """\
printer:
  type: sftp
  host: "{{ env_var('PRINTER_HOST', 'sftp.example.com') }}"
  password: "{{ env_var('PRINTER_PASSWORD') }}"
  private_key: "{{ file('secrets/printer.key') }}"
  # password: "{{ env_var('OF_LAST_YEAR') }}"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "my letters"
    (folder / "profiles").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: my_letters\nprofile: letters\n")
    (folder / "profiles.yml").write_text(
        "letters: {outputs: {dev: {type: duckdb, path: \"{{ env_var('DMAIL_WAREHOUSE', 'x') }}\"}}}"
    )
    (folder / "profiles/routes.yml").write_text(ROUTES)
    return Settings(folder, folder / ".dmail", folder / ".dmail/contact_history", None, None)


def texts(settings: Settings, orchestrator: str) -> dict[str, str]:
    return dict(deployment_files(settings, orchestrator, "1.2.3")[0])


def test_what_a_project_needs_is_found(settings: Settings) -> None:
    """What a comment names is not needed, and the runner's own settings have defaults."""
    needed = find_needed(settings)
    assert needed.required == ("PRINTER_PASSWORD",)
    assert needed.optional == ("PRINTER_HOST",)
    assert needed.files == ("secrets/printer.key",)


@pytest.mark.parametrize("orchestrator", ORCHESTRATORS)
def test_every_file_is_filled_in_and_names_the_secrets(settings: Settings, orchestrator: str) -> None:
    files = texts(settings, orchestrator)
    everything = "\n".join([*files, *files.values()])
    assert not re.search("<<[A-Z]+>>|PROJECT|dot_", everything)
    assert "PRINTER_PASSWORD" in everything
    assert "dmail-runner" in everything
    for path, text in files.items():
        if path.endswith(".yml"):
            assert list(yaml.safe_load_all(text))
        elif path.endswith(".py"):
            ast.parse(text)
        elif path.endswith((".service", ".timer")):
            unit = configparser.RawConfigParser(strict=False)
            unit.read_string(text)
            assert unit["Unit"]["Description"]


def test_a_project_without_secrets_has_valid_files(settings: Settings) -> None:
    (settings.project_dir / "profiles/routes.yml").write_text("outbox: {type: folder}\n")
    for orchestrator in ORCHESTRATORS:
        for path, text in texts(settings, orchestrator).items():
            if path.endswith(".yml"):
                list(yaml.safe_load_all(text))
            elif path.endswith(".py"):
                ast.parse(text)


def test_a_pull_request_gets_the_secrets_of_its_own_environment_only(settings: Settings) -> None:
    workflow: dict[str, Any] = yaml.safe_load(texts(settings, "github-actions")[".github/workflows/direct-mail.yml"])
    assert "env" not in workflow
    environments = {name: job["environment"] for name, job in workflow["jobs"].items()}
    assert environments == {"review": "direct-mail-review", "deliver": "direct-mail"}
    assert "DMAIL_STATE_DIR" not in workflow["jobs"]["review"]["env"]


def test_one_pod_at_a_time_with_no_rights_keeps_the_ledger(settings: Settings) -> None:
    claim, job = yaml.safe_load_all(texts(settings, "kubernetes")["deploy/cronjob.yml"])
    assert job["metadata"]["name"] == "dmail-my-letters"
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    folders = [mount["mountPath"] for mount in container["volumeMounts"]]
    given = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert given["DMAIL_STATE_DIR"].startswith(folders[0])
    assert given["PRINTER_PASSWORD"] is None, "it comes from a secret"
    assert ".dmail" in texts(settings, "kubernetes")["deploy/Dockerfile.dockerignore"].splitlines()


def test_nothing_is_overwritten(settings: Settings) -> None:
    write_deployment(settings, texts(settings, "kubernetes"))
    file = settings.project_dir / "deploy/cronjob.yml"
    before = file.read_text()
    with pytest.raises(UsageError, match=r"deploy/Dockerfile, .*deploy/cronjob.yml would be overwritten"):
        deployment_files(settings, "kubernetes", "1.2.3")
    assert file.read_text() == before
    with pytest.raises(UsageError, match="'jenkins' is unknown"):
        deployment_files(settings, "jenkins", "1.2.3")


def test_a_path_that_a_file_could_not_hold_is_refused(settings: Settings) -> None:
    odd = settings.project_dir.rename(settings.project_dir.with_name('my "letters"'))
    with pytest.raises(UsageError, match="has characters"):
        deployment_files(replace(settings, project_dir=odd), "airflow", "1.2.3")
