"""Errors that nobody expected, and names that stay on the server: the ledger has them, and people are notified."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dmail_runner.declare.notices import find_notices
from dmail_runner.run import due, pipeline, requested
from dmail_runner.run.due import Scheduler, run_all_due
from dmail_runner.run.notify import Notifier
from dmail_runner.ship.answers import Refused
from dmail_runner.ship.folder import Folder
from tiny import World
from worlds import DAY, listening, states


class Faulty:
    def __call__(self, *_: Any, **__: Any) -> Any:
        raise KeyError("Ann Example, 1 Main Street")


def look(world: World, port: int) -> list[int]:
    """What `run --due` does, with a project of one campaign. Returns the exit codes."""
    kinds = "[failed, left_behind, delivered]"
    (world.folder / "profiles/notices.yml").write_text(
        f"channels: [{{webhook: 'http://127.0.0.1:{port}/', allow_http: true, kinds: {kinds}}}]"
    )
    ledger = world.ledger()
    scheduler = Scheduler(ledger, Notifier(find_notices(world.settings), ledger, lambda _: None))
    manifest: Any = SimpleNamespace(names=["letter"], orphans=list, campaign=lambda _: world.campaign)

    def attempt(step: Any) -> int:
        try:
            step()
        except Exception:  # noqa: BLE001 - as the command line does
            return 1
        return 0

    (world.folder / "profiles/providers.yml").write_text("acme: {label: Acme, route: out}")
    return run_all_due(world.settings, scheduler, lambda: manifest, lambda *_: world.job(), attempt)


@pytest.mark.parametrize("step", ["make", "check_history", "take_back"])
def test_an_error_of_a_run_is_recorded_and_announced(world: World, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world.pass_time(DAY)
    monkeypatch.setattr(pipeline, step, Faulty())
    with listening() as (port, told):
        assert look(world, port) == [0, 1]
        assert look(world, port)[-1] in (0, 1)
    (run,) = world.ledger().latest()
    assert run.state == "failed"
    assert run.error
    assert run.error.startswith("unexpected KeyError at test_unexpected.py:")
    assert [(notice["kind"], notice["run_id"], notice["what"]) for notice in told] == [("failed", run.run_id, run.error)]
    monkeypatch.undo()
    world.pass_time(DAY / 2)
    world.run_due()
    assert states(world) == [("03-02 06:00", "settled")]


@pytest.mark.parametrize("step", ["plan", "tidy_spool", "key_findings"])
def test_an_error_beside_the_runs_is_recorded_and_announced(world: World, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, step, Faulty())
    with listening() as (port, told):
        assert look(world, port) == [1]
        look(world, port)
    assert [(notice["kind"], notice["campaign"]) for notice in told] == [("failed", "letter")]
    assert told[0]["what"].startswith("unexpected KeyError at")
    ledger = world.ledger()
    with ledger.reading() as connection:
        events = connection.exec_driver_sql("select kind, run_id, detail from events where kind = 'unexpected'").all()
    assert len(events) == 2
    assert all("Ann" not in text for row in events for text in row)


@pytest.mark.parametrize(("owner", "step"), [(requested, "due_slot"), (requested, "find_run"), (pipeline, "make")])
def test_an_error_of_a_run_that_a_person_has_asked_for(
    world: World, owner: Any, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is recorded and announced once, as if the service had met it: the person may be a program that only sees the exit code."""
    monkeypatch.setattr(owner, step, Faulty())
    ledger = world.ledger()
    with listening() as (port, told):
        (world.folder / "profiles/notices.yml").write_text(
            f"channels: [{{webhook: 'http://127.0.0.1:{port}/', allow_http: true}}]"
        )
        scheduler = Scheduler(ledger, Notifier(find_notices(world.settings), ledger, lambda _: None))
        with pytest.raises(KeyError):
            requested.run_requested(
                world.campaign, requested.Request(None if step == "due_slot" else world.now), scheduler, lambda _: world.job()
            )
    assert [(notice["kind"], notice["campaign"]) for notice in told] == [("failed", "letter")]
    assert told[0]["what"].startswith("unexpected KeyError at")
    with ledger.reading() as connection:
        kinds = connection.exec_driver_sql("select kind from events where detail like 'unexpected KeyError%'").scalars().all()
    assert kinds == ["failed" if step == "make" else "unexpected"]


def test_a_second_name_that_cannot_be_removed_is_announced(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a drop box: the rename makes the final name, and removes none."""

    def publish(place: Folder, temporary: str, final: str, _: str | None) -> None:
        os.link(Path(place.location(temporary)), Path(place.location(final)))

    def remove(place: Folder, name: str) -> bool:
        raise Refused(f"{place.location(name)}: Permission denied")

    monkeypatch.setattr(Folder, "publish", publish)
    monkeypatch.setattr(Folder, "remove", remove)
    world.pass_time(DAY)
    with listening() as (port, told):
        assert look(world, port) == [0]
    assert [notice["kind"] for notice in told] == ["delivered", "left_behind"]
    (left,) = [path.name for path in world.outbox.rglob("*.part")]
    assert left in told[1]["what"]
    assert states(world) == [("03-02 06:00", "settled")]
