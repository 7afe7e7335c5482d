"""A copy of the project that each test may spoil, and servers of the real kind."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pytest
import yaml
from sshd import Sshd, serve
from warm import ask, running

ROOT = Path(__file__).parents[2]
COMPILED = ROOT / ".pytest_cache" / "compiled"  # so that a thousand calls do not compile the same modules each
SLOT = "2026-11-02T11:00Z"
FILE = "inbound/spring_catalog_20261102T110000Z.csv"
DONE, FAILED, WRONG, HELD = 0, 1, 2, 3
FOREIGN = ("DMAIL_", "DBT_", "ACME_", "PYTHONDONTWRITEBYTECODE")
LONGEST = ("test_spark.py", "test_soak.py", "test_world.py")
AT_START = ("LANG", "LC_", "PYTHON", "TMPDIR", "TZ")  # what an interpreter or a library looks at when it starts


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that nobody waits for it in the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """On CI a skipped test is a failure: what is not tested there is tested nowhere."""
    if os.environ.get("CI") == "true" and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("CI: a test was skipped", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@dataclass
class Project:
    """A project folder and how its user calls the command."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "."  # where the user stands
    warm: ClassVar[str] = ""  # where processes are forked that have imported the runner
    started: ClassVar[set[str]] = set()  # the commands that were called

    def call(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The first call of each command starts an interpreter, as its user's does; others are forked from one."""
        command = [sys.executable, "-c", "from dmail_runner.cli import main; main()", *arguments]
        given = {**self.environment, **environment}
        cold = arguments[0] not in self.started or any(name.startswith(AT_START) for name in given)
        self.started.add(arguments[0])
        run = subprocess.run if cold else partial(ask, self.warm)
        return run(
            command,
            cwd=self.path / self.folder,
            env={**surroundings(), **given},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def run(self, slot: str = SLOT, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.call("run", "spring_catalog", "--slot", slot, **environment)

    def status(self) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = json.loads(self.call("status", "--json").stdout)["runs"]
        return runs

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.path / file
        text = path.read_text()
        assert old in text, f"{file} does not contain {old!r}"
        path.write_text(text.replace(old, new))

    def add_route(self, **route: Any) -> None:
        """Let the provider deliver by this route."""
        file = self.path / "profiles/routes.yml"
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "test": route}))
        self.edit("profiles/providers.yml", "route: outbox", "route: test")

    @property
    def delivered(self) -> list[str]:
        """The files in the outbox."""
        outbox = self.path / "outbox"
        return sorted(str(path.relative_to(outbox)) for path in outbox.rglob("*") if path.is_file())

    def private_leftovers(self) -> list[str]:
        """Files of the runner that may hold personal data and should be gone."""
        folders = [self.path / ".dmail/spool", self.path / ".dmail/dmail-work"]
        parse = self.path / ".dmail/dmail-work/parse"
        return [str(p) for folder in folders for p in folder.rglob("*") if p.is_file() and parse not in p.parents]


def surroundings() -> dict[str, str]:
    """The environment of a user who has set nothing of ours."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**given, "NO_COLOR": "1", "PYTHONPYCACHEPREFIX": str(COMPILED)}


@pytest.fixture(scope="session")
def warm_dbt() -> Iterator[str]:
    """Where processes are forked that have imported dbt."""
    with running("dbt", surroundings()) as place:
        yield place


@pytest.fixture(scope="session")
def warm(warm_dbt: str) -> Iterator[str]:
    """Where processes are forked that have imported the runner."""
    with running("runner", surroundings(), warm_dbt) as place:
        yield place


@pytest.fixture(scope="session")
def base(warm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is cloned, with 2,000 profiles and parsed once."""
    Project.warm = warm
    path = tmp_path_factory.mktemp("base") / "project"
    path.mkdir()
    shutil.copy(ROOT / "dbt_project.yml", path)
    for folder in ("models", "macros", "seeds", "profiles", "tests/dbt"):
        shutil.copytree(ROOT / folder, path / folder)
    project = Project(path)
    assert project.call("sample-data", "--rows", "2000").returncode == DONE
    assert project.call("check").returncode == DONE
    return path


@pytest.fixture
def project(base: Path, tmp_path: Path) -> Project:
    return Project(Path(shutil.copytree(base, tmp_path / "project")))


@pytest.fixture(scope="session")
def manifest(base: Path) -> str:
    return (base / ".dmail/manifest.json").read_text()


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with serve(tmp_path / "sshd") as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[list[str]]:
    """A PostgreSQL server on a socket; the psql command to talk to it."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), Path(shutil.which("initdb") or "/nowhere")]
    initdb = next((path.resolve() for path in found if path.exists()), None) or pytest.skip("PostgreSQL is not installed")
    # The server refuses to run as root, and its user must reach the folder.
    prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        data = Path(folder, "data")
        data.mkdir()
        if prefix:
            shutil.chown(folder, "nobody")
            shutil.chown(data, "nobody")
        subprocess.run(
            [*prefix, initdb, "-D", data, "-U", "test", "-E", "UTF8", "--locale=C"], check=True, capture_output=True, cwd="/"
        )
        server = subprocess.Popen(
            [*prefix, initdb.with_name("postgres"), "-D", data, "-k", folder, "-c", "listen_addresses="], cwd="/"
        )
        psql = [str(initdb.with_name("psql")), "-h", folder, "-U", "test", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-Atq"]
        try:
            for _ in range(100):
                if subprocess.run([*psql, "-c", "select 1"], capture_output=True, check=False).returncode == 0:
                    break
                time.sleep(0.1)
            yield psql
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection
