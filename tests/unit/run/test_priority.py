"""Campaigns that are due at once: those with the greater priority come first, so that a cap keeps their letters."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest import mock

from dmail_runner.core.errors import ConfigError
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.notices import Notices
from dmail_runner.project.target import Warehouse
from dmail_runner.project.warehouse import lock_warehouse
from dmail_runner.run import checked
from dmail_runner.run.due import Scheduler
from dmail_runner.run.job import by_priority
from dmail_runner.run.notify import Notifier
from tiny import World, letter
from worlds import DAILY, DAY


def project(priorities: Mapping[str, int | None]) -> Any:
    """A manifest with campaigns of these priorities. One without is declared wrongly."""

    def campaign(name: str) -> Campaign:
        if (priority := priorities[name]) is None:
            raise ConfigError([])
        return replace(letter(priority=priority), name=name)

    return SimpleNamespace(campaign=campaign)


def test_the_greatest_priority_comes_first_and_then_the_name() -> None:
    given = {"a": 0, "b": 5, "c": -1, "d": 5, "broken": None}
    assert by_priority(project(given), given) == ["b", "d", "a", "broken", "c"]


def test_a_campaign_waits_while_another_process_runs_one_that_comes_first(world: World) -> None:
    world.pass_time(DAY)
    ledger = world.ledger()
    scheduler = Scheduler(ledger, Notifier(Notices(), ledger, lambda _: None))
    first = replace(world.job(), campaign=replace(letter(schedule=DAILY, priority=1), name="first"))
    with world.ledger().campaign_lock("first", "another process"):
        assert scheduler.run_due(first, world.now) == []
        assert scheduler.run_due(world.job(), world.now) == []
    assert world.mailed() == {}
    scheduler = Scheduler(ledger, Notifier(Notices(), ledger, lambda _: None))
    assert scheduler.run_due(world.job(), world.now) == []
    assert len(world.mailed()) == 1


def test_campaigns_of_the_same_priority_wait_for_nobody(world: World) -> None:
    world.pass_time(DAY)
    ledger = world.ledger()
    scheduler = Scheduler(ledger, Notifier(Notices(), ledger, lambda _: None))
    other = replace(world.job(), campaign=replace(letter(schedule=DAILY), name="other"))
    with world.ledger().campaign_lock("other", "another process"):
        assert scheduler.run_due(other, world.now) == []
        assert scheduler.run_due(world.job(), world.now) == []
    assert len(world.mailed()) == 1


def test_the_contacts_of_a_run_are_there_before_another_process_can_build(world: World) -> None:
    """A cap of the next campaign counts them."""
    world.pass_time(DAY)
    there: list[bool] = []

    @contextmanager
    def watched(*arguments: Any) -> Iterator[Warehouse]:
        with lock_warehouse(*arguments) as warehouse:
            yield warehouse
            there.append(any(world.settings.history_dir.glob("letter-*/contacts.parquet")))

    with mock.patch.object(checked, "lock_warehouse", watched):
        assert world.run_due() == []
    assert there == [True]
