"""Runs whose campaign or route is no longer in the project: every advice leads to a command that ends them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deliveries import put_in_doubt
from dmail_runner.cli.text import next_command_lines
from dmail_runner.core.errors import ConfigError, UsageError
from dmail_runner.declare.provider import Provider
from dmail_runner.ledger.run import Run
from dmail_runner.project.manifest import is_removed
from dmail_runner.run.decisions import give_up, resend, resume, settle
from dmail_runner.run.job import LedgerAlone
from tiny import World
from worlds import DAY, SAID


@pytest.fixture
def waiting(world: World) -> Run:
    """A frozen run that could not be delivered."""
    world.outbox.write_text("in the way")
    world.pass_time(DAY)
    world.run_due()
    (run,) = world.ledger().latest()
    assert run.state == "failed"
    return run


def alone(world: World) -> LedgerAlone:
    return LedgerAlone(world.settings, lambda _: None, UsageError("there is no campaign 'letter'"))


def remove_route(world: World) -> None:
    (world.folder / "profiles/routes.yml").write_text('{"other": {"type": "folder", "path": "elsewhere"}}')


def test_a_run_of_a_removed_campaign_is_cancelled(world: World, waiting: Run) -> None:
    ledger = world.ledger()
    with pytest.raises(UsageError, match="there is no campaign") as refused:
        resume(alone(world), waiting, ledger)
    assert refused.value.todo == f"dmail-runner cancel {waiting.run_id} --reason ... gives it up"
    with pytest.raises(UsageError, match="there is no campaign") as refused:
        resend(alone(world), waiting, ledger, SAID)
    assert "the campaign must be in the project" in str(refused.value.todo)
    remove_route(world)
    give_up(alone(world), waiting, ledger, SAID, rest=False)
    assert ledger.known(waiting.run_id).state == "cancelled"


def test_a_doubtful_run_without_campaign_and_route_is_settled(world: World, waiting: Run) -> None:
    put_in_doubt(world.folder, waiting.run_id)
    remove_route(world)
    ledger = world.ledger()
    run = ledger.known(waiting.run_id)
    with pytest.raises(UsageError) as refused:
        resume(alone(world), run, ledger)
    assert f"dmail-runner settle {run.run_id} --delivered" in str(refused.value.todo)
    with pytest.raises(ConfigError, match="there is no such route") as failed:
        give_up(alone(world), run, ledger, SAID, rest=False)
    assert "correct it, and cancel again" in str(failed.value.todo)
    assert f"dmail-runner settle {run.run_id} --delivered" in str(failed.value.todo)
    assert settle(alone(world), run, ledger, SAID, delivered=False).state == "extracted"
    give_up(alone(world), ledger.known(run.run_id), ledger, SAID, rest=False)
    assert ledger.known(run.run_id).state == "cancelled"


def test_a_run_was_frozen_for_a_route_that_was_removed_since(world: World, waiting: Run) -> None:
    job = replace(world.job(), provider=Provider(label="Acme", route="other"))
    world.outbox.unlink()
    remove_route(world)
    with pytest.raises(ConfigError, match="there is no such route") as failed:
        resume(job, waiting, world.ledger())
    assert f"dmail-runner cancel {waiting.run_id} --reason" in str(failed.value.todo)


def test_what_show_advises(world: World, waiting: Run) -> None:
    def shown() -> str:
        return "\n".join(next_command_lines(waiting, removed=is_removed(world.settings, "letter")))

    assert f"resume {waiting.run_id}" in shown(), "the project was never parsed"
    exposure = {"name": "letter", "package_name": "tiny", "original_file_path": "models/letter.yml"}
    content = {"metadata": {"project_name": "tiny"}, "exposures": {"exposure.tiny.letter": exposure}}
    world.settings.target_file("manifest.json").write_text(json.dumps(content))
    declaration = Path(world.folder, "models/letter.yml")
    declaration.parent.mkdir()
    declaration.touch()
    assert f"resume {waiting.run_id}" in shown()
    declaration.unlink()
    assert "no longer in the project" in shown()
    assert f"dmail-runner cancel {waiting.run_id}" in shown()
    assert "resume" not in shown()
    assert list(next_command_lines(replace(waiting, state="missed"), removed=True)) == []
