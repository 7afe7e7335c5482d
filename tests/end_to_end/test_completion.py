"""What the shell offers, by the scripts that `--show-completion` prints: in no time, without dbt, and without a word of complaint."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import Project, surroundings

SHELLS = ("bash", "zsh", "fish")
# The program as it is installed: what it is called decides what its completion is called.
RUNNER = Path(sys.executable).with_name("dmail-runner")


def offered(shell: str, folder: Path, *words: str) -> str:
    """What is offered for the last word."""
    line = " ".join(["dmail-runner", *words])
    asked = {
        "_DMAIL_RUNNER_COMPLETE": f"complete_{shell}", "COMP_WORDS": line, "COMP_CWORD": str(len(words)),
        "_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }  # fmt: skip
    done = subprocess.run([RUNNER], cwd=folder, env={**surroundings(), **asked}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_campaigns_and_routes_are_offered(project: Project, shell: str) -> None:
    below = project.path / "models"
    assert "resume" in offered(shell, below, "re")
    assert "release" in offered(shell, below, "re")
    assert "spring_catalog" in offered(shell, below, "run", "spr")
    assert "loyalty_offer" not in offered(shell, below, "run", "spr")
    assert "renewal_notice" in offered(shell, below, "new", "autumn", "--like", "ren")
    assert "acme_sftp" in offered(shell, below, "route", "test", "ac")
    assert not (project.path / "target").exists(), "dbt has no part in it"


def test_the_project_that_is_named_is_looked_at(project: Project) -> None:
    assert "spring_catalog" in offered("bash", Path("/"), "--project-dir", str(project.path), "run", "spr")


@pytest.mark.parametrize("routes", [None, "- no\n- mapping\n", "a: {b\n", "\xff"])
def test_nothing_is_offered_where_nothing_can_be_read(project: Project, routes: str | None) -> None:
    file = project.path / "profiles/routes.yml"
    file.unlink()
    if routes:
        file.write_bytes(routes.encode("latin-1"))
    shutil.rmtree(project.path / "models")
    assert offered("bash", project.path, "run", "") == ""
    assert offered("bash", project.path, "route", "test", "") == ""
    assert offered("bash", Path("/"), "run", "") == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_its_script_is_installed(shell: str, tmp_path: Path) -> None:
    """Asked for from within the shell, which is how it is known; its parent's name is all that is looked at."""
    (tmp_path / shell).symlink_to("/bin/sh")
    environment = {**surroundings(), "HOME": str(tmp_path), "SHELL": str(tmp_path / shell)}

    def typed(option: str) -> subprocess.CompletedProcess[str]:
        # A command after it, so that the shell stays what has started the runner.
        script = f"{RUNNER} {option}; exit $?"
        return subprocess.run([tmp_path / shell, "-c", script], env=environment, capture_output=True, text=True, check=False)

    shown, installed = typed("--show-completion"), typed("--install-completion")
    assert shown.returncode == installed.returncode == 0, shown.stderr + installed.stderr
    assert "_DMAIL_RUNNER_COMPLETE=complete_" in shown.stdout
    assert f"{shell} completion installed in {tmp_path}" in installed.stdout.replace("\n", "")
    assert any(
        "_DMAIL_RUNNER_COMPLETE" in path.read_text() for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()
    )


def test_bash_itself_completes(project: Project) -> None:
    script = f"""
        export PATH={RUNNER.parent}:$PATH
        eval "$(dmail-runner --show-completion)"
        COMP_WORDS=(dmail-runner run lo) COMP_CWORD=2
        _dmail_runner_completion dmail-runner lo run
        echo "${{COMPREPLY[@]}}"
        exit 0
    """
    done = subprocess.run(
        ["bash", "-c", script], cwd=project.path, env=surroundings(), capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["loyalty_offer"], done.stderr
