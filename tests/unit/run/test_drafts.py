"""A campaign that comes from another target, such as from test to production, is a draft until it is approved there."""

from dataclasses import replace

import pytest

from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.run.approval import approve
from dmail_runner.run.drafts import drafts
from dmail_runner.run.job import check_active
from people import write_policy
from tiny import World
from worlds import DAY, states

TARGETS = """dmail:
  target: test
  outputs:
    test: {type: duckdb, path: .dmail/warehouse.duckdb}
    prod: {type: duckdb, path: .dmail/prod.duckdb}
"""


def found(world: World, target: str, *names: str) -> frozenset[str]:
    return drafts(in_target(world, target), names or ("letter",), lambda: world.now)


def in_target(world: World, target: str) -> Settings:
    return replace(world.settings, target=target)


def approve_in(world: World, target: str) -> None:
    approve(replace(world.job(), settings=in_target(world, target)), world.ledger(), "ann")


def test_a_campaign_arrives_in_another_target_as_a_draft(world: World) -> None:
    (world.folder / "profiles/profiles.yml").write_text(TARGETS)
    assert found(world, "prod") == frozenset()
    write_policy(world.folder, draft_in=["prod"])
    approve_in(world, "test")
    assert found(world, "test") == frozenset()
    assert found(world, "prod") == {"letter"}, "an approval in the test counts for the test"
    approve_in(world, "prod")
    assert found(world, "prod", "letter", "another") == {"another"}
    (world.folder / "profiles/policy.yml").unlink()
    assert found(world, "prod", "another") == {"another"}, "its author cannot take it out of the policy"


def test_without_a_readable_ledger_every_campaign_is_a_draft(world: World) -> None:
    write_policy(world.folder, draft_in=["dev"])
    approve_in(world, "dev")
    assert found(world, "dev") == frozenset()
    ledger = world.settings.state_dir / "ledger.sqlite"
    for file in ledger.parent.glob("ledger.sqlite-*"):
        file.unlink()
    ledger.write_bytes(b"not a database" * 1000)
    assert found(world, "dev") == {"letter"}


def test_a_draft_is_not_mailed_and_its_slots_are_not_made_up_for(world: World) -> None:
    active = world.campaign
    world = World(world.folder / "production", replace(active, held_back=True))
    assert world.run_due() == []
    world.pass_time(DAY)
    assert world.run_due() == []
    assert (world.built, states(world)) == ([], [])
    with pytest.raises(UsageError, match="is draft: nothing was delivered"):
        check_active(world.job())
    world.campaign = active
    assert world.run_due() == []
    assert states(world) == []
    world.pass_time(DAY)
    assert world.run_due() == []
    assert states(world) == [("03-03 06:00", "settled")]
