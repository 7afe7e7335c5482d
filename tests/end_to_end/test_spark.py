"""The same letters from Spark, and DuckDB for the last mile. `make test` has one Java machine, `make soak` a master and two workers."""

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from pathlib import Path

import duckdb
import pytest

from answers_of import receive_answers
from difficult import difficult, hashes, mail
from effort import SOAK
from project import DONE, Project, surroundings
from reports import Tables
from sorted_file import sort_by_plan
from spark import Cluster, cluster, session
from wait import until
from warm import ask, running

# Spark plans a campaign for minutes, so `make test` has the one with offers and the one with most rules.
CAMPAIGNS = (
    ("loyalty_offer", "renewal_notice", "welcome_letter", "spring_catalog") if SOAK else ("loyalty_offer", "spring_catalog")
)
INBOUND = (
    *(
        "stg_acknowledgements",
        "stg_address_updates",
        "stg_delivery_status",
        "stg_invoices",
        "stg_responses",
        "stg_returns",
        "stg_stock",
    ),
    *("int_returned_mail", "int_returned_pieces", "int_responses", "rpt_received", "rpt_responses", "rpt_returns"),
    *("int_sends", "int_measured_units", "int_measured_responses", "rpt_results", "rpt_response_days"),
)


@pytest.fixture
def spark(tmp_path: Path) -> Iterator[Cluster | None]:
    (folder := tmp_path / "cluster").mkdir()
    serving: AbstractContextManager[Cluster | None] = cluster(folder) if SOAK else nullcontext()
    with serving as found:
        yield found


def build_results(project: Project, dbt: str) -> None:
    """Build the models of received files and of results, whose parents the campaigns have built."""
    models = ["stg_contact_history", "rpt_runs", "rpt_parts", "path:models/inbound", "path:models/results"]
    words = [
        "build",
        "--profiles-dir",
        "profiles",
        "--select",
        *models,
        "--exclude",
        "resource_type:test",
        "resource_type:unit_test",
    ]
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *words]
    done = ask(dbt, command, cwd=project.path, env={**surroundings(), **project.environment})
    assert done.returncode == 0, done.stdout[-3000:]


def check_results(project: Project, other: Project) -> None:
    """Compare the rows of both engines, and their pages. Spark adds up floating-point numbers in another order."""
    with chdir(project.path), duckdb.connect(".dmail/warehouse.duckdb", read_only=True) as connection:
        for name in INBOUND:
            described = connection.execute(f"describe from {name}").fetchall()
            columns = ", ".join(f"round({one}, 6)" if kind == "DOUBLE" else f"{one}::varchar" for one, kind, *_ in described)
            here, there = (
                sorted(map(repr, connection.execute(f"select {columns} from {source}").fetchall()))
                for source in (name, f"read_parquet('{other.path}/.dmail/spark/{name}/*.parquet')")
            )
            assert here == there, name
            assert here, f"{name} has rows"
    pages = []
    for one in (project, other):
        assert one.call("report").returncode == DONE
        pages.append(Tables(one.path / "site/results/spring_catalog.html").rows)
    assert pages[0] == pages[1]
    assert any(row[0] == "Control group" for row in pages[0])


@contextmanager
def a_worker_dies(spark: Cluster, sign: Path) -> Iterator[None]:
    """End a worker with its processes as soon as there is a sign that it is at work."""
    killed = list[int]()

    def kill() -> None:
        until(sign.exists, "a worker is at work")
        killed.extend(spark.executors(0))
        spark.kill(0)

    watcher = threading.Thread(target=kill, daemon=True)
    watcher.start()
    yield
    watcher.join()
    assert killed, "a process was at work"


@pytest.mark.soak
def test_every_campaign_is_the_same_file_from_spark_also_when_a_worker_dies(
    project: Project, spark: Cluster | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_dbt: str
) -> None:
    difficult(project)
    sort_by_plan(project)
    other = Project(Path(shutil.copytree(project.path, tmp_path / "other")))
    for campaign in CAMPAIGNS:
        mail(project, campaign)
    master = {"DMAIL_SPARK_MASTER": spark.url} if spark else {"DMAIL_SPARK_MASTER": "local[2]", "DMAIL_SPARK_PARTITIONS": "2"}
    # A build that hangs must not take all the time of the other tests.
    other.environment.update(project.environment, DMAIL_TARGET="spark", DMAIL_BUILD_TIMEOUT="8", **master)
    tables = other.path / ".dmail/spark"
    with session(tmp_path) as dbt, running(tmp_path / "warm", "runner", surroundings(), dbt) as warm:
        monkeypatch.setattr(other, "warm", warm, raising=False)
        for campaign in CAMPAIGNS[:-1]:
            mail(other, campaign)
        with a_worker_dies(spark, tables / f"{CAMPAIGNS[-1]}__recipients") if spark else nullcontext():
            mail(other, CAMPAIGNS[-1])
        assert len(project.delivered) == len(CAMPAIGNS)
        assert hashes(other) == hashes(project)
        if SOAK:  # a minute
            receive_answers(project)
            build_results(project, warm_dbt)
            folders = {"DMAIL_HISTORY": "contact_history", "DMAIL_INBOUND": "inbound", "DMAIL_FIGURES": "figures"}
            other.environment.update({name: str(project.path / ".dmail" / folder) for name, folder in folders.items()})
            build_results(other, dbt)
            check_results(project, other)
    capped = [run["excluded"].get("frequency_cap", 0) for run in project.status() if run["run_id"].endswith("20261102T110000Z")]
    assert max(capped) > 100, "the contact history was read"
    assert not [path for path in tables.rglob("*") if path.stat().st_mode & 0o077], "for this user alone"
