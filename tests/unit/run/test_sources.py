"""Sources stay in the folders that the project allows, and links lead nowhere."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dmail_runner.core.errors import SourceError, UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.policy import Policy
from dmail_runner.project.dbt_process import DbtOutcome
from dmail_runner.run.job import source_faults
from tiny import World, letter

ALLOWED = ("'data/*.csv'", "data/{x}/y.parquet", "'/srv/exports/a.csv'", '"warehouse"."crm"."profiles"', "`a`.`b`")
REFUSED = (
    "secret.csv",
    "'/etc/passwd'", "'data/../secret.csv'", "'other.csv'", "'data2/x.csv'", "https://example.com/x.csv", "'s3://bucket/x.parquet'",
    "read_csv('data/x.csv')", "'link/passwd'", "read_text('/etc/shadow')",
)  # fmt: skip


def test_sources_stay_where_they_may_be(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    policy = Policy(approvers={}, source_folders=("data", "/srv/exports"))
    campaign = replace(letter(), origins={location: location for location in (*ALLOWED, *REFUSED)})
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / ".dmail/contact_history", None, None)
    found = [problem.what for problem in source_faults(campaign, policy, settings)]
    assert len(found) == len(REFUSED)
    for location, what in zip(REFUSED, found, strict=True):
        assert what.endswith(location)
    assert list(source_faults(campaign, Policy(approvers={}), settings)) == []


def test_the_name_of_the_runners_own_source_opens_no_other_file(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / ".dmail/contact_history", None, None)
    own = {
        "dmail.contact_history": "'.dmail/contact_history/*/contacts.parquet'",
        "dmail.inbound_returns": "'.dmail/inbound/returns/*.parquet'",
    }
    others = {
        "dmail.secret": "'/etc/passwd'",
        "dmail.up": "'.dmail/inbound/../../x.csv'",
        "crm.own": "'.dmail/inbound/x.parquet'",
    }
    campaign = replace(letter(), origins={**own, **others})
    found = [problem.what for problem in source_faults(campaign, Policy(approvers={}, source_folders=("data",)), settings)]
    assert [name for name in others if any(f"the source {name}," in what for what in found)] == list(others)
    assert len(found) == len(others)


def test_symbolic_links_are_not_followed(world: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("spool", "dmail-work", "contact_history", "inbound"):
        folder = world.settings.state_dir / name
        if folder.exists():
            folder.rename(folder.with_suffix(".aside"))
        folder.symlink_to(elsewhere)
        with pytest.raises(UsageError, match="is a symbolic link"):
            world.settings.prepare()
        folder.unlink()


def test_a_changed_frozen_file_is_not_shipped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made again, because nothing of it can have left."""
    from dmail_runner.core.errors import DmailError
    from worlds import DAY

    def full(*_: object) -> None:
        raise DmailError("the disk is full")

    world.pass_time(DAY)
    with monkeypatch.context() as broken:
        broken.setattr("dmail_runner.run.pipeline.ship", full)
        assert len(world.run_due()) == 1
    run = world.ledger().latest()[0]
    part = world.settings.spool_dir / run.run_id / "00001.part"
    part.write_bytes(part.read_bytes().replace(b"Person 3", b"Person X"))
    world.pass_time(DAY / 24)
    assert world.run_due() == []
    assert b"Person X" not in world.files()[0].read_bytes()


class Rewritten(World):
    """A project whose export is written again while dbt reads it."""

    again = True

    def run_dbt(self, settings: Settings, arguments: Sequence[str], target: Path, environment: Mapping[str, str]) -> DbtOutcome:
        if self.again:
            (self.folder / "data/profiles.csv").write_text("profile_id\np1\np2\n")
        return super().run_dbt(settings, arguments, target, environment)


def test_a_source_that_is_written_during_the_run_stops_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/profiles.csv").write_text("profile_id\np1\n")
    origins = {"crm.profiles": "'data/profiles.csv'", "crm.elsewhere": '"crm"."main"."orders"'}
    campaign = replace(letter(schedule={"cron": "0 9 * * *", "timezone": "UTC", "start": "2027-03-01"}), origins=origins)
    world = Rewritten(tmp_path, campaign)
    (error,) = world.run_due()
    assert isinstance(error, SourceError)
    assert error.what == "crm.profiles was written during the run: nothing was delivered"
    assert world.mailed() == {}
    world.again = False
    world.pass_time(timedelta(minutes=30))
    assert world.run_due() == [], "it is tried again by itself"
    assert len(world.mailed()) == 1
