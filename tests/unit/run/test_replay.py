"""A run's file is made again as of then. If it is not equal, the input that has changed is named."""

from dataclasses import replace
from typing import Any

from dmail_runner.core.settings import Settings
from dmail_runner.ledger.made import made_of
from dmail_runner.project.dbt_process import DbtOutcome
from dmail_runner.run.replay import Replay, replay
from tiny import World, letter
from worlds import DAILY, DAY


def mailed(world: World) -> World:
    """A daily letter whose source is a file, mailed twice."""
    (world.folder / "people.csv").write_text("one\n")
    world.campaign = replace(
        letter(schedule=DAILY), origins={"crm.people": "'people.csv'"}, definition=lambda: {"model letter": "1"}
    )
    for _ in range(2):
        world.pass_time(DAY)
        assert world.run_due() == []
    return world


def replayed(world: World) -> Replay:
    """The first run, which the second one has followed."""
    ledger = world.ledger()
    return replay(world.job(), ledger.latest()[-1], ledger)


def test_nothing_has_changed(world: World) -> None:
    found = replayed(mailed(world))
    assert found.equal
    assert found.changed == {}
    (file,) = found.files
    assert file.now == file.then == found.run.parts[0].part.sha256
    assert not world.settings.replay_dir.exists(), "the copy of the history is gone"
    world.check()


def test_the_build_reads_the_history_of_then(world: World) -> None:
    """The first run had nobody before it; the second had the first, and not itself."""
    mailed(world)
    ledger = world.ledger()
    second, first = ledger.latest()
    seen: list[list[str]] = []

    def run_dbt(settings: Settings, *rest: Any) -> DbtOutcome:
        seen.append([path.parent.name for path in settings.history_dir.glob("*/contacts.parquet")])
        return world.run_dbt(settings, *rest)

    for run in (first, second):
        assert replay(replace(world.job(), run_dbt=run_dbt), run, ledger).equal
    assert seen == [[], [first.run_id]]


def test_what_has_changed_is_named(world: World) -> None:
    mailed(world)
    world.changed = "update stg_profiles set full_name = 'Other' where profile_id = 'p3'"
    (world.folder / "people.csv").write_text("two\n")
    world.campaign = replace(world.campaign, definition=lambda: {"model letter": "2", "macro x": ""})
    found = replayed(world)
    assert not found.equal
    assert found.changed == {"macro x": "new", "model letter": "changed", "source crm.people": "changed"}
    (world.folder / "people.csv").unlink()
    assert replayed(world).changed["source crm.people"] == "unknown"


def test_contacts_are_those_of_then(world: World) -> None:
    """The second run's contacts are not among them, nor are those of a run that was cancelled."""
    mailed(world)
    ledger = world.ledger()
    second, first = (made_of(ledger, run) for run in ledger.latest()[:2])
    assert first
    assert second
    assert first.inputs["contact history"] != second.inputs["contact history"]
    assert (first.provider, first.as_of) == ("acme", None)


def test_a_run_of_an_earlier_version_says_so(world: World) -> None:
    mailed(world)
    ledger = world.ledger()
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("update events set kind = 'other' where kind = 'made'")
    found = replay(world.job(), ledger.latest()[-1], ledger)
    assert found.equal
    assert not found.recorded
