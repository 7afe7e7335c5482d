"""Fixtures that tests of this folder share."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dmail_runner.core.settings import find_settings
from dmail_runner.ledger.ledger import Ledger
from project import DONE, FAILED, HELD, SLOT, Project
from reports import FOLDER, NOW
from shared import made_once


@pytest.fixture(scope="session")
def once(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose slot is settled."""

    def settle(folder: Path) -> None:
        assert Project(shutil.copytree(base, folder, dirs_exist_ok=True)).run().returncode == DONE

    return made_once(tmp_path_factory, "once", settle)


@pytest.fixture
def settled(once: Path, tmp_path: Path) -> Project:
    return Project(Path(shutil.copytree(once, tmp_path / "project")))


@pytest.fixture(scope="session")
def done(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of canaries with a settled run, one that would mail opted-out people, and a failed one; and its report."""
    return made_once(
        tmp_path_factory, "done", lambda folder: report_of(Project(shutil.copytree(base, folder, dirs_exist_ok=True)))
    )


def report_of(project: Project) -> None:
    profiles = project.path / "data/profiles.csv"
    with duckdb.connect() as connection:
        connection.execute(f"create table p as select * from read_csv('{profiles}', all_varchar = true)")
        connection.execute("update p set first_name = 'Canaryfirst', last_name = 'Canary' || profile_id, city = 'Canaryville'")
        connection.execute(f"copy p to '{profiles}' (header true)")
    project.edit(FOLDER + "spring_catalog__recipients.sql", "dmail.consent(),", "")
    with (project.path / "profiles/routes.yml").open("a") as routes:
        routes.write("nowhere: {type: folder, path: /proc/nowhere}\n")
    project.edit("profiles/providers.yml", "label: Offerworks\n  route: outbox", "label: Offerworks\n  route: nowhere")
    assert project.call("run", "renewal_notice", "--slot", SLOT).returncode == DONE
    held = project.run()
    assert held.returncode == HELD, held.stderr
    assert "profile_id 00" in held.stderr, "the terminal names one of them"
    assert project.call("run", "loyalty_offer", "--slot", SLOT).returncode == FAILED
    (project.path / "site").mkdir()
    (project.path / "site/lineage.html").write_text("made by dmail-runner docs")
    told = project.call("report")
    assert told.returncode == DONE, told.stderr
    assert f"open {project.path}/site/index.html" in told.stdout


@pytest.fixture
def ledger(base: Path, tmp_path: Path) -> Ledger:
    settings = replace(find_settings(base), state_dir=tmp_path, ledger_url=None)
    return Ledger(settings, lambda: NOW)
