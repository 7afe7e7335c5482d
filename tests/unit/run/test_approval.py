"""An approval counts for exactly the definition that was approved, and whoever has written it cannot lower what is required."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dmail_runner.core.errors import ConfigError, Held, UsageError
from dmail_runner.declare.policy import find_policy
from dmail_runner.declare.provider import Provider
from dmail_runner.ledger.approvals import IN_FORCE, add_approval, read_approvals
from dmail_runner.ledger.tables import approvals, events, head
from dmail_runner.project.inputs import project_state
from dmail_runner.run.approval import approve, approved, case_of, last_in_force, request
from dmail_runner.run.definition import Definition, defined, summary
from people import Person, commit, write_policy
from tiny import World, letter
from worlds import DAY, declared, states

EVERYBODY = {"ann": {"account": "ann"}, "bob": {"account": "bob"}, "cara": {"account": "cara"}}


def waits(world: World) -> bool:
    try:
        approved(world.job(), world.ledger())
    except Held:
        return True
    return False


def test_nothing_goes_without_an_approval_of_exactly_this(world: World) -> None:
    declared(world, approval="required")
    world.pass_time(DAY)
    (held,) = world.run_due()
    assert isinstance(held, Held)
    assert "nothing was built" in str(held)
    assert world.built == []
    assert world.run_due() == [], "it waits, and is not told again"
    ledger = world.ledger()
    approve(world.job(), ledger, "ann", note="as Ann said")
    assert world.run_due() == []
    assert states(world) == [("03-02 06:00", "settled")]
    declared(world, approval="required", file={"name": "letter.csv", "timestamp": True, "sort_by": ["full_name"]})
    world.pass_time(DAY)
    (held,) = world.run_due()
    assert "was changed since ann approved it on 2027-03-02" in str(held)
    last = last_in_force(ledger, "letter")
    assert last
    assert (last.by, last.note) == ("ann", "as Ann said")
    assert list(summary(Definition(last.parts), defined(world.job()))) == ["  delivery    changed"]


def test_a_new_password_needs_no_approval_and_another_server_does(world: World) -> None:
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


def test_the_author_cannot_take_the_duty_back(world: World) -> None:
    """A campaign that was under approval stays so until an approved definition says otherwise."""
    declared(world, approval="required")
    approve(world.job(), world.ledger(), "ann")
    assert not waits(world)
    declared(world)
    assert waits(world)
    approve(world.job(), world.ledger(), "ann")
    assert not waits(world)
    declared(world, file={"name": "other.csv"})
    assert not waits(world), "the approved definition requires none"


def test_the_project_the_provider_and_the_route_require_approvals(world: World) -> None:
    assert not waits(world)
    job = world.job()
    for strict in (
        replace(job, provider=job.provider.model_copy(update={"require_approval": "one"})),
        replace(job, route=job.route.model_copy(update={"require_approval": "two"})),
    ):
        with pytest.raises(Held):
            approved(strict, world.ledger())
    write_policy(world.folder, require_approval="one")
    assert waits(world)
    approve(world.job(), world.ledger(), "ann")
    assert not waits(world)
    (world.folder / "profiles/policy.yml").unlink()
    assert waits(world)
    world.campaign = replace(letter(), name="another")
    assert waits(world), "the policy that was approved last holds for new campaigns, too"


def test_only_who_is_listed_approves_and_nobody_lists_himself(world: World) -> None:
    write_policy(world.folder, require_approval="one", approvers={"ann": {"account": ["ann", "ann.s"]}})
    ledger = world.ledger()
    with pytest.raises(UsageError, match="the account bob does not belong to an approver of letter; the approvers are: ann"):
        approve(world.job(), ledger, "bob", note="Ann")
    assert approve(world.job(), ledger, "ann.s").by == "ann"
    write_policy(world.folder, require_approval="one", approvers={"ann": {"account": "ann"}, "bob": {"account": "bob"}})
    with pytest.raises(UsageError, match="the account bob does not belong"):
        approve(world.job(), ledger, "bob")
    write_policy(world.folder, require_approval="one", approvers={"ann": {"account": "bob"}})
    with pytest.raises(UsageError, match="the account bob does not belong"):
        approve(world.job(), ledger, "bob")
    write_policy(world.folder, require_approval="one", approvers=EVERYBODY)
    approve(world.job(), ledger, "ann")
    world.campaign = letter(guard={"min_rows": 2})
    assert approve(world.job(), ledger, "bob").by == "bob"


def test_what_a_provider_or_route_requires_holds_for_later_campaigns_too(world: World) -> None:
    """Who removes `require_approval` and adds a campaign with the same provider or route needs an approval of both."""
    strict = replace(world.job(), provider=world.job().provider.model_copy(update={"require_approval": "one"}))
    approve(strict, world.ledger(), "ann")
    world.campaign = replace(letter(), name="another")
    assert waits(world)
    approve(world.job(), world.ledger(), "ann")
    world.campaign = replace(letter(), name="a third")
    assert not waits(world), "an approved definition requires none"


def test_only_what_was_seen_is_approved(world: World) -> None:
    seen = defined(world.job()).fingerprint[:12]
    world.campaign = letter(guard={"min_rows": 2})
    with pytest.raises(UsageError, match=f"not as {seen}: it was changed meanwhile"):
        approve(world.job(), world.ledger(), "ann", expected=seen)
    assert read_approvals(world.ledger(), "letter") == []
    approve(world.job(), world.ledger(), "ann", expected=defined(world.job()).fingerprint[:12])


def test_a_change_while_it_is_built_is_not_mailed(world: World) -> None:
    """dbt reads the project again: an approval of what the runner has read before would not cover the change."""
    declared(world, approval="required")
    before = world.campaign
    world.campaign = replace(before, project=project_state(world.settings))
    approve(world.job(), world.ledger(), "ann")
    world.pass_time(DAY)
    (world.folder / "models").mkdir()
    (world.folder / "models/letter.sql").write_text("select 'forged'")
    (held,) = world.run_due()
    assert isinstance(held, Held)
    assert "was changed while letter was built" in str(held)
    world.campaign = replace(before, project=project_state(world.settings))
    assert world.run_due() == []
    assert states(world) == [("03-02 06:00", "settled")]


def test_a_change_that_was_reverted_while_it_is_built_is_not_mailed(world: World) -> None:
    """The files are as they were approved; what dbt has read in between is in the manifest of its build, or is a seed."""
    declared(world, approval="required")
    seeds = world.folder / "seeds"
    seeds.mkdir()
    (seeds / "rates.csv").write_text("rate\n1\n")
    before = replace(world.campaign, project=project_state(world.settings))
    world.campaign = replace(before, is_built_by=lambda manifest: "nodes" not in manifest)
    approve(world.job(), world.ledger(), "ann")
    world.pass_time(DAY)
    (held,) = world.run_due()
    assert "was changed while letter was built" in str(held)
    world.campaign = before
    for text in ("rate\n2\n", "rate\n1\n"):
        (seeds / "rates.csv").write_text(text)
    (held,) = world.run_due()
    assert "was changed while letter was built" in str(held)
    world.campaign = replace(before, project=project_state(world.settings))
    assert world.run_due() == []
    assert states(world) == [("03-02 06:00", "settled")]


@pytest.mark.parametrize("value", ["postgresql://u:hunter22@db/x", "token=hunter22", "Bearer hunter22hunter22"])
def test_no_secret_of_an_environment_variable_is_approved_in_clear(
    world: World, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CRM_DB", value)
    monkeypatch.setenv("WAREHOUSE_KEY", "hunter22")
    codes = {"model letter": "select '{{ env_var('CRM_DB') }}', '{{ env_var('WAREHOUSE_KEY') }}'"}
    world.campaign = replace(letter(approval="required"), definition=lambda: codes)
    approve(world.job(), world.ledger(), "ann")
    (found,) = read_approvals(world.ledger(), "letter")
    assert "hunter22" not in json.dumps(dict(found.parts))
    before = defined(world.job()).fingerprint
    monkeypatch.setenv("CRM_DB", value.replace("2", "3"))
    assert defined(world.job()).fingerprint != before


def test_how_returned_mail_is_read_is_approved_too(world: World) -> None:
    """It decides whose letters are stopped, for campaigns that read it."""
    entry = {
        "kind": "returns",
        "route": "out",
        "files": "r/*.csv",
        "columns": {"piece_id": {"header": "id"}, "reason": {"header": "why", "codes": {"9": "moved"}}},
    }
    file = world.folder / "profiles/inbound.yml"
    file.write_text(json.dumps({"acme": entry}))
    first, plain = world.campaign, defined(world.job()).fingerprint
    world.campaign = replace(first, records=frozenset({"contact_history", "inbound_returns"}))
    before = defined(world.job()).fingerprint
    file.write_text(json.dumps({"acme": {**entry, "afterwards": "remove"}}))
    assert defined(world.job()).fingerprint == before
    file.write_text(json.dumps({"acme": {**entry, "columns": {"piece_id": {"header": "id"}, "reason": {"value": "other"}}}}))
    assert defined(world.job()).fingerprint != before
    world.campaign = first
    assert defined(world.job()).fingerprint == plain


def test_two_people_and_not_one_twice(world: World) -> None:
    write_policy(world.folder, require_approval="two", approvers=EVERYBODY)
    commit(world.folder, "dora")
    world.campaign = replace(world.campaign, sources=lambda: ("dbt_project.yml",), file="dbt_project.yml")
    ledger = world.ledger()
    assert approve(world.job(), ledger, "ann").missing == 1
    assert waits(world)
    assert approve(world.job(), ledger, "ann").missing == 1
    assert waits(world)
    assert approve(world.job(), ledger, "bob").missing == 0
    assert not waits(world)
    first = world.campaign
    world.campaign = replace(first, mail=letter(guard={"min_rows": 2}).mail)
    for who in ("ann", "bob"):
        approve(world.job(), ledger, who)
    world.campaign = first
    assert waits(world), "what was in force before is not in force again"
    assert approve(world.job(), ledger, "ann").missing == 1
    assert waits(world)


def test_nobody_approves_what_they_wrote(world: World) -> None:
    declared(world, approval="four_eyes")
    world.campaign = replace(world.campaign, sources=lambda: ("letter.sql",))
    ledger = world.ledger()
    with pytest.raises(UsageError, match="lists no approvers"):
        approve(world.job(), ledger, "bob")
    write_policy(world.folder, approvers={**EVERYBODY, "eve": {"account": "eve", "git": "dora@example.com"}})
    with pytest.raises(UsageError, match="git cannot find the author"):
        approve(world.job(), ledger, "bob")
    commit(world.folder, "cara")
    (world.folder / "letter.sql").write_text("select 1")
    with pytest.raises(UsageError, match="not committed"):
        approve(world.job(), ledger, "bob")
    commit(world.folder, "ann")
    with pytest.raises(UsageError, match="ann is an author of letter"):
        approve(world.job(), ledger, "ann", note="Bob")
    approve(world.job(), ledger, "bob")
    (world.folder / "letter.sql").write_text("select 2")
    commit(world.folder, "dora", "letter.sql")
    (world.folder / "letter.sql").write_text("select 3")
    commit(world.folder, "bob", "letter.sql")
    for author in ("eve", "bob"):
        with pytest.raises(UsageError, match=f"{author} is an author"):
            approve(world.job(), ledger, author)
    approve(world.job(), ledger, "ann")


def test_no_change_is_hidden_from_git(world: World) -> None:
    """A file that git ignores, or does not compare, has no author: its author could approve it."""
    write_policy(world.folder, require_approval="four_eyes", approvers=EVERYBODY)
    world.campaign = replace(world.campaign, sources=lambda: ("letter.sql", "hidden.sql", "dbt_packages/p/a.sql"))
    for file in ("letter.sql", "hidden.sql", "dbt_packages/p/a.sql"):
        (world.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (world.folder / file).write_text("select 1")
    (world.folder / "profiles/providers.yml").write_text("{}")
    commit(world.folder, "ann", "letter.sql", "profiles", "dbt_project.yml")
    (world.folder / ".git/info/exclude").write_text("hidden.sql\ndbt_packages\n")
    with pytest.raises(UsageError, match=r"1 file of letter not committed, .*: hidden.sql"):
        approve(world.job(), world.ledger(), "bob")
    git = ["git", "-C", str(world.folder), "update-index"]
    (world.folder / "hidden.sql").unlink()
    for option in ("--assume-unchanged", "--skip-worktree"):
        subprocess.run([*git, option, "profiles/providers.yml"], check=True)
        (world.folder / "profiles/providers.yml").write_text("{other: {}}")
        with pytest.raises(UsageError, match=r"not committed, .*: profiles/providers.yml"):
            approve(world.job(), world.ledger(), "bob")
        subprocess.run([*git, option.replace("--", "--no-"), "profiles/providers.yml"], check=True)
    (world.folder / "profiles/providers.yml").write_text("{}")
    assert approve(world.job(), world.ledger(), "bob").by == "bob"


def test_no_change_is_hidden_behind_a_link(world: World, tmp_path: Path) -> None:
    """Git has the link, and not what it leads to: whoever changes that is no author."""
    write_policy(world.folder, require_approval="four_eyes", approvers=EVERYBODY)
    world.campaign = replace(world.campaign, sources=lambda: ("letter.sql",))
    (tmp_path / "shared.sql").write_text("select 1")
    (world.folder / "letter.sql").symlink_to(tmp_path / "shared.sql")
    commit(world.folder, "ann")
    with pytest.raises(UsageError, match=r"1 file of letter not committed, .*: letter.sql"):
        approve(world.job(), world.ledger(), "bob")
    (world.folder / "letter.sql").unlink()
    (world.folder / "shared.sql").write_text("select 1")
    (world.folder / "letter.sql").symlink_to("shared.sql")
    commit(world.folder, "bob")
    with pytest.raises(UsageError, match="bob is an author of letter"):
        approve(world.job(), world.ledger(), "bob")


def test_a_signature_is_an_approval_from_another_machine(world: World, tmp_path: Path) -> None:
    ann, bob, eve = (Person(tmp_path, name) for name in ("ann", "bob", "eve"))
    write_policy(world.folder, require_approval="two", approvers={"ann": {"key": ann.key}, "bob": {"key": [bob.key]}})
    commit(world.folder, "dora")
    world.campaign = replace(world.campaign, file="dbt_project.yml")
    ledger = world.ledger()
    text = request(world.job(), case_of(world.job(), ledger))
    assert "campaign letter\n" in text
    with pytest.raises(UsageError, match="approvers are: ann, bob"):
        approve(world.job(), ledger, "ann")
    for wrong in (eve.sign(text), ann.sign(text.replace("letter", "other")), ann.sign(text, "git"), "nonsense"):
        with pytest.raises(UsageError, match="the signature is not for the present definition"):
            approve(world.job(), ledger, "build", signature=wrong)
    signed = ann.sign(text)
    assert approve(world.job(), ledger, "build", signature=signed).missing == 1
    assert approve(world.job(), ledger, "build", signature=signed).missing == 1, "one person is one"
    assert approve(world.job(), ledger, "build", signature=bob.sign(text)).by == "bob"
    assert not waits(world)
    first = world.campaign
    world.campaign = replace(first, mail=letter(guard={"min_rows": 2}).mail)
    later = request(world.job(), case_of(world.job(), ledger))
    for person in (ann, bob):
        approve(world.job(), ledger, "build", signature=person.sign(later))
    world.campaign = first
    with pytest.raises(UsageError, match="the signature is not for"):
        approve(world.job(), ledger, "build", signature=signed)


def test_a_row_without_its_event_is_no_approval(world: World) -> None:
    """Who can write to the database, and does not write the chain of events on, approves nothing."""
    declared(world, approval="required")
    job, ledger = world.job(), world.ledger()
    case = case_of(job, ledger)
    values = {"campaign": "letter", "at": "2027-03-01T12:00:00+00:00", "by": "ann", "fingerprint": case.definition.fingerprint}
    with ledger.engine.begin() as connection:
        connection.execute(approvals.insert().values(**values, content=json.dumps(dict(case.definition.parts))))
    assert waits(world)
    approve(job, ledger, "ann")
    assert not waits(world)
    with ledger.engine.begin() as connection:
        connection.execute(approvals.update().values(by="bob"))
    assert waits(world)


def test_a_forged_chain_cannot_sign(world: World, tmp_path: Path) -> None:
    """An approver who is listed by key alone approves by a signature, whatever the ledger says."""
    ann, eve = Person(tmp_path, "ann"), Person(tmp_path, "eve")
    write_policy(world.folder, require_approval="one", approvers={"ann": {"key": ann.key}})
    job, ledger = world.job(), world.ledger()
    text = request(job, case_of(job, ledger))
    approve(job, ledger, "build", signature=ann.sign(text))
    assert not waits(world)
    (kept,) = read_approvals(ledger, "letter")
    with ledger.engine.begin() as connection:
        for table in (approvals, events):
            connection.execute(table.delete())
        connection.execute(head.update().values(number=0, hash=""))
    ledger.anchor.path.unlink()
    for forged in (replace(kept, signature=eve.sign(text), key=eve.key), replace(kept, signature=None, account="ann"), kept):
        with ledger.writing() as connection:
            add_approval(ledger, connection, "letter", forged)
            ledger.record(connection, "letter", IN_FORCE, f"{forged.fingerprint} one")
        assert waits(world) == (forged is not kept)


def test_a_campaign_that_was_approved_by_an_earlier_version_stays_under_approval(world: World) -> None:
    ledger = world.ledger()
    with ledger.writing() as connection:
        ledger.record(connection, "letter", "approved", f"{'a' * 64} by Ann Smith, as ann")
    assert waits(world)
    approve(world.job(), ledger, "ann")
    assert not waits(world)


def test_an_environment_variable_with_a_computed_name_cannot_be_approved(world: World) -> None:
    code = "select '{{ env_var('DMAIL_LI' ~ 'ST') }}'"
    world.campaign = replace(letter(approval="required"), definition=lambda: {"model letter": code})
    with pytest.raises(ConfigError, match="with a computed name"):
        approve(world.job(), world.ledger(), "ann")


def test_a_policy_says_what_is_wrong_with_it(world: World) -> None:
    for entry, what in (
        ({"approvers": {"ann": {}}}, "approvers.ann: needs an `account` or a `key`"),
        ({"approvers": {"ann": {"key": "AAAA"}}}, "must be a line of an OpenSSH public key"),
        ({"require_approval": "three"}, "unknown value; allowed: 'one', 'four_eyes' or 'two'"),
    ):
        write_policy(world.folder, **entry)
        with pytest.raises(ConfigError, match=what):
            find_policy(world.settings)
