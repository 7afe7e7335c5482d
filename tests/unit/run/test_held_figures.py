"""A held run keeps the figures of what was built, so that a person can decide without building again."""

from dmail_runner.cli.text import next_command_lines, run_lines
from dmail_runner.core.errors import Held
from dmail_runner.core.values import Churn, Comparison, Limit, Verdicts
from dmail_runner.ledger.comparison import comparison_text, read_comparison
from dmail_runner.ledger.journal import faults
from dmail_runner.ledger.run import Run, run_as_json
from dmail_runner.look.diff import difference
from dmail_runner.report.rows import read_runs
from dmail_runner.run.decisions import hold, release
from dmail_runner.run.order import trial_order
from tiny import World
from worlds import DAY, SAID, attended, declared, listening

GUARD = {"max_change": 0.3, "max_churn": 0.5}


def held_run(world: World) -> Run:
    """A day without trouble, and one with a third of the people opted out."""
    declared(world, guard=GUARD)
    world.pass_time(DAY)
    assert world.run_due() == []
    for number in range(12):
        world.opt_out(number)
    world.pass_time(DAY)
    (fault,) = world.run_due()
    assert isinstance(fault, Held)
    run, _ = world.ledger().latest()
    assert fault.todo
    assert run.run_id in fault.todo, "the advice names the run"
    assert f"--slot {run.slot:%Y-%m-%dT%H:%MZ}" in fault.todo
    return run


def test_what_was_built_is_recorded_with_the_hold(world: World) -> None:
    run = held_run(world)
    ledger = world.ledger()
    (found, settled) = ledger.latest()
    assert found.verdicts is None, "it is not frozen"
    assert found.held_figures == Comparison(
        Verdicts(20, 8, {"consent": 12}, churn=Churn(settled.run_id, 0, 12)),
        settled.run_id,
        Verdicts(20, 20, {}),
        (Limit("max_change", "included", 14), Limit("max_churn", "went", 10)),
    )
    assert run_as_json(run)["held_figures"]["built"]["excluded"] == {"consent": 12}
    shown = " ".join("\n".join([*run_lines(run), *next_command_lines(run)]).split())
    for text in ("included 8 20 -12", "consent 12 0 +12", "removed 12", "limit max_change: 14 pieces", "max_churn: 10 people"):
        assert text in shown
    assert shown.index("next dmail-runner diff letter --slot 2027-03-03T06:00Z") < shown.index(f"release {run.run_id}")
    assert [row.held_figures for row in read_runs(ledger)] == [found.held_figures, None]
    with ledger.reading() as connection:
        assert list(faults(connection)) == []


def test_diff_compares_the_file_that_is_held(world: World) -> None:
    run = held_run(world)
    found = difference(world.job(), trial_order(world.job(), run.slot, world.ledger(), "diff"), 0)
    assert found.removed == {"consent": 12}


def test_a_person_who_holds_it_too_keeps_the_figures_and_a_release_ends_them(world: World) -> None:
    run = held_run(world)
    hold(run, world.ledger(), SAID)
    found = world.ledger().known(run.run_id)
    assert (found.hold, found.held_figures) == ("person", run.held_figures)
    (fault,) = [error for error in (released(world, found),) if error]
    assert isinstance(fault, Held)
    assert fault.hold == "volume"
    done = release(world.job(), world.ledger().known(run.run_id), world.ledger(), SAID)
    assert (done.state, done.held_figures) == ("settled", None)
    assert done.verdicts
    assert done.verdicts.included == 8


def released(world: World, run: Run) -> Held | None:
    try:
        release(world.job(), run, world.ledger(), SAID)
    except Held as held:
        return held
    return None


def test_a_later_hold_without_figures_has_none(world: World) -> None:
    run = held_run(world)
    world.ledger().hold(run, "conflict", "another file is there")
    assert world.ledger().known(run.run_id).held_figures is None


def test_a_run_that_waits_for_an_approval_or_a_server_is_compared_with_the_last_one(world: World) -> None:
    declared(world)
    world.pass_time(DAY)
    assert world.run_due() == []
    (settled,) = world.ledger().latest()
    declared(world, approval="required")
    world.pass_time(DAY)
    (_fault,) = world.run_due()
    ledger = world.ledger()
    run = ledger.latest()[0]
    assert (run.state, run.hold, run.held_figures) == ("held", "approval", None)
    assert ledger.compared(run) == Comparison(None, settled.run_id, settled.verdicts)
    assert ["included", "-", "20"] in [line.split() for line in run_lines(run, compared=ledger.compared(run))]
    assert any("--dry-run" in line for line in next_command_lines(run))
    declared(world)
    world.outbox.rename(world.outbox.with_suffix(".aside"))
    world.outbox.write_text("in the way")
    world.pass_time(DAY)
    assert world.run_due()
    run = world.ledger().latest()[0]
    compared = world.ledger().compared(run)
    assert run.state == "failed"
    assert compared
    assert (compared.verdicts, compared.last) == (run.verdicts, settled.run_id)
    assert world.ledger().compared(settled) is None


def test_a_notice_has_the_figures(world: World) -> None:
    with listening() as (port, told):
        notices = f"""
        channels: [{{webhook: "http://127.0.0.1:{port}/x", allow_http: true, kinds: [held]}}]
        """
        declared(world, guard={"min_rows": 21})
        world.pass_time(DAY)
        assert len(attended(world, notices)) == 1
    (notice,) = told
    assert notice["figures"] == {
        "built": {"targeted": 20, "included": 20, "seeds": 0, "excluded": {}, "churn": None},
        "last": None,
        "limits": [{"name": "min_rows", "figure": "included", "value": 21}],
    }


def test_figures_that_another_version_wrote_are_left_out() -> None:
    found = Comparison(Verdicts(3, 2, {"a\x1b\u202e": 1}), "r", Verdicts(1, 1, {}), (Limit("min_rows", "included", 9),))
    assert read_comparison(comparison_text(found)) == found
    for text in ("", "{}", "[]", '{"built": {}, "last": null, "limits": []}'):
        assert read_comparison(text) is None
