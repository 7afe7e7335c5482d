"""An approval counts for exactly the definition that was approved."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dmail_runner.core.errors import Held, UsageError
from dmail_runner.declare.provider import Provider
from dmail_runner.run.approval import approve, changes, defined, last_approval
from tiny import World, letter
from worlds import DAY, declared, states


def test_nothing_goes_without_an_approval_of_exactly_this(world: World) -> None:
    declared(world, approval="required")
    world.pass_time(DAY)
    (held,) = world.run_due()
    assert isinstance(held, Held)
    assert "nothing was built" in str(held)
    assert world.built == []
    assert world.run_due() == [], "it waits, and is not told again"
    ledger = world.ledger()
    approve(world.job(), ledger, "Ann", "ann", four_eyes=False)
    assert world.run_due() == []
    assert states(world) == [("03-02 06:00", "settled")]
    declared(world, approval="required", file={"name": "letter.csv", "timestamp": True, "sort_by": ["full_name"]})
    world.pass_time(DAY)
    (held,) = world.run_due()
    assert "was changed since Ann approved it on 2027-03-02" in str(held)
    last = last_approval(ledger, "letter")
    assert last
    lines = list(changes(last.definition, defined(world.job())))
    assert lines[0] == "delivery: changed"
    assert any("full_name" in line and line.strip().startswith("+") for line in lines)


def test_a_new_password_needs_no_approval_and_another_server_does(world: World, tmp_path: Path) -> None:
    from dmail_runner.declare.route import SftpRoute

    key = "SHA256:" + "A" * 43
    route = SftpRoute(type="sftp", host="a.example.com", user="u", password="old secret", host_key=key)
    job = replace(world.job(), route=route)
    before = defined(job)
    assert "old secret" not in json.dumps(dict(before.parts))
    changed = replace(job, route=SftpRoute(type="sftp", host="a.example.com", user="u", password="new", host_key=key))
    assert defined(changed).fingerprint == before.fingerprint
    moved = replace(job, route=SftpRoute(type="sftp", host="b.example.com", user="u", password="old secret", host_key=key))
    assert defined(moved).fingerprint != before.fingerprint
    provider = replace(job, provider=Provider(label="Acme", route="out", prefix="X_"))
    assert defined(provider).fingerprint != before.fingerprint


def test_four_eyes_see_more_than_two(world: World) -> None:
    ledger = world.ledger()
    world.campaign = replace(letter(approval="four_eyes"), sources=("letter.sql",))
    with pytest.raises(UsageError, match="git cannot find the author"):
        approve(world.job(), ledger, "Bob", "bob", four_eyes=False)
    git = ["git", "-C", str(world.folder), "-c", "user.name=Ann Smith", "-c", "user.email=ann@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    (world.folder / "letter.sql").write_text("select 1")
    with pytest.raises(UsageError, match="not committed"):
        approve(world.job(), ledger, "Bob", "bob", four_eyes=False)
    subprocess.run([*git, "add", "letter.sql", "profiles", "dbt_project.yml"], check=True)
    subprocess.run([*git, "commit", "-qm", "a letter"], check=True)
    for name in ("ann smith", "ANN@example.com"):
        with pytest.raises(UsageError, match="was the last to change letter"):
            approve(world.job(), ledger, name, "ann", four_eyes=False)
    approve(world.job(), ledger, "Bob", "bob", four_eyes=False)
