"""What a person can decide about a run, and what nobody can."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from deliveries import put_in_doubt
from project import DONE, FAILED, FILE, HELD, WRONG, Project
from shared import made_once

RUN = "spring_catalog-20261102T110000Z"
EXPOSURE = "models/campaigns/spring_catalog/_spring_catalog__exposures.yml"


@pytest.fixture(scope="session")
def frozen(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one run whose file is frozen and could not be delivered."""
    return made_once(
        tmp_path_factory, "frozen", lambda folder: freeze(Project(shutil.copytree(base, folder, dirs_exist_ok=True)))
    )


def freeze(project: Project) -> None:
    project.add_route(type="folder", path="/proc/nowhere")
    assert project.run().returncode == FAILED
    # From now on the route is a good one.
    project.edit("profiles/routes.yml", "path: /proc/nowhere", "path: outbox")


@pytest.fixture
def project(frozen: Path, tmp_path: Path) -> Project:
    return Project(Path(shutil.copytree(frozen, tmp_path / "project")))


def events(project: Project) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(project.path / ".dmail/ledger.sqlite")) as ledger:
        return ledger.execute("select kind, detail from events order by number").fetchall()


def decide(project: Project, command: str, *options: str) -> tuple[int, str]:
    done = project.call(command, RUN, *options, "--reason", "the printer said so")
    return done.returncode, done.stdout + done.stderr


def test_what_was_frozen_is_resumed_as_it_is(project: Project) -> None:
    (before,) = project.status()
    (project.path / "data/profiles.csv").unlink()
    done = project.call("resume", RUN)
    assert done.returncode == DONE, done.stderr
    (after,) = project.status()
    assert after["state"] == "settled"
    assert after["parts"] == before["parts"]
    assert project.delivered == [FILE]
    recall_and_accept(project)


def recall_and_accept(project: Project) -> None:
    """The delivered run is recalled by the commands, in the project as it is."""
    code, told = decide(project, "recall")
    assert code == WRONG
    assert "Acme Print has no `recall_until`, so it accepts no recalls; nothing was sent" in told
    line = "label: Acme Print\n  recall_until: 6h\n  recall_contact: Ann Lee\n"
    project.edit(
        "profiles/providers.yml", "label: Acme Print\n", f'{line}  recall_file: {{name: "stop_{{run}}.txt", line: "{{file}}"}}\n'
    )
    code, told = decide(project, "recall")
    assert code == DONE, told
    assert f"call Ann Lee, then: dmail-runner recall {RUN} --answer accepted" in told
    assert sorted(project.delivered) == sorted([FILE, f"stop_{RUN}.txt"])
    assert "recall asked" in project.call("status").stdout
    assert decide(project, "recall")[0] == WRONG, "it is asked already"
    code, told = decide(project, "recall", "--answer", "accepted")
    assert code == DONE, told
    (run,) = project.status()
    assert (run["state"], run["recall"]) == ("settled", "accepted")
    assert [kind for kind, _ in events(project) if kind.startswith("recall")] == ["recall_asked", "recall_accepted"]


def test_a_run_that_a_person_holds_waits_for_a_person(project: Project) -> None:
    assert decide(project, "hold") == (DONE, f"{RUN} is held\n")
    stopped = project.run()
    assert stopped.returncode == HELD
    assert "the printer said so" in stopped.stderr
    assert f"dmail-runner release {RUN} --reason ... continues it" in stopped.stderr
    assert project.call("resume", RUN).returncode == HELD
    assert project.delivered == []
    code, told = decide(project, "release")
    assert code == DONE, told
    assert project.delivered == [FILE]
    kinds = [kind for kind, _ in events(project)]
    assert kinds.index("held") < kinds.index("released") < kinds.index("settled")
    assert decide(project, "release")[0] == WRONG, "it is settled"
    assert decide(project, "hold")[0] == WRONG


def test_who_asks_for_a_run_gets_it_however_long_it_has_waited(project: Project) -> None:
    project.edit("profiles/providers.yml", "label: Acme Print", "label: Acme Print\n  retention_days: 0")
    code, told = decide(project, "hold")
    assert code == DONE, told
    code, told = decide(project, "release")
    assert code == DONE, told
    assert project.delivered == [FILE]


def test_a_cancelled_run_leaves_nothing_and_is_done(project: Project) -> None:
    assert decide(project, "cancel")[0] == DONE
    (run,) = project.status()
    assert run["state"] == "cancelled"
    assert "the printer said so" in run["error"]
    assert project.private_leftovers() == []
    assert list((project.path / ".dmail/contact_history").rglob("*.parquet")) == []
    assert project.run().returncode == DONE
    assert project.delivered == []
    assert decide(project, "cancel")[0] == WRONG


def test_a_volume_is_released_and_an_opt_out_is_not(project: Project) -> None:
    shutil.rmtree(project.path / ".dmail/spool" / RUN)
    project.edit(EXPOSURE, "provider: acme_print", "guard: {min_rows: 5000}\n          provider: acme_print")
    assert project.run().returncode == HELD
    assert project.call("resume", RUN).returncode == HELD, "its gate looks again"
    code, told = decide(project, "release")
    assert code == DONE, told
    assert project.delivered == [FILE]
    recipients = "models/campaigns/spring_catalog/spring_catalog__recipients.sql"
    project.edit(recipients, "dmail.consent(),", "")
    held = project.call("run", "spring_catalog", "--slot", "2026-11-03T11:00Z", "--accept", "volume")
    assert held.returncode == HELD, held.stderr
    refused = project.call("release", "spring_catalog-20261103T110000Z", "--reason", "they will not mind")
    assert refused.returncode == WRONG
    assert "would mail people who have opted out" in refused.stderr
    assert project.delivered == [FILE]


def test_a_file_that_the_provider_has_is_settled_and_not_sent_again(project: Project) -> None:
    put_in_doubt(project.path, RUN)
    unknown = project.run()
    assert unknown.returncode == HELD
    assert f"dmail-runner settle {RUN} --delivered" in project.run().stderr
    assert decide(project, "release")[0] == WRONG
    assert decide(project, "cancel")[0] == WRONG
    code, told = decide(project, "settle", "--delivered")
    assert code == DONE, told
    (run,) = project.status()
    assert run["state"] == "settled"
    assert project.delivered == []
    assert project.private_leftovers() == []
    assert len(list((project.path / ".dmail/contact_history").rglob("*.parquet"))) == 1, "they count as mailed"
    assert any(kind == "told" and "the printer said so" in detail for kind, detail in events(project))
    assert decide(project, "settle", "--delivered")[0] == WRONG


def test_a_file_that_the_provider_has_not_is_sent_again(project: Project) -> None:
    put_in_doubt(project.path, RUN)
    assert project.run().returncode == HELD
    code, told = decide(project, "settle", "--not-delivered")
    assert code == DONE, told
    assert project.delivered == [FILE]
    (run,) = project.status()
    assert run["state"] == "settled"


def test_a_decision_needs_a_run_and_a_reason(project: Project) -> None:
    nobody = project.call("cancel", "no-such-run", "--reason", "x")
    assert nobody.returncode == WRONG
    assert "there is no run 'no-such-run'" in nobody.stderr
    assert project.call("cancel", RUN).returncode == WRONG
    assert project.call("cancel", RUN, "--reason", " ").returncode == WRONG
    assert project.status()[0]["state"] == "failed"
