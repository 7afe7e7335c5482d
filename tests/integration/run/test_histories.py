"""A mailing's whole life by chance: slots, crashes at any effect, clocks that jump, people who opt out, and all that a person decides."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dmail_runner.core.errors import DmailError
from dmail_runner.history import contacts
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.run.decisions import Decision, give_up, hold, release, resend, resume, settle
from dmail_runner.ship.folder import Folder
from effort import SOAK
from fuses import SHM, Dead, Fuse
from tiny import World, letter
from voucher_world import VoucherWorld, with_vouchers

SPANS = st.sampled_from([timedelta(minutes=3), timedelta(hours=1), timedelta(hours=7), timedelta(days=1), timedelta(days=4)])
SAID = Decision("somebody", "because")
ZONES = st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"])


@contextmanager
def killed_after(steps: int | None) -> Iterator[None]:
    """The process dies at that many effects from now; never where that is None."""
    if steps is None:
        yield
        return
    fuse, writing = Fuse(steps), Ledger.writing
    with (
        mock.patch.object(Ledger, "writing", lambda ledger: fuse.writing(writing, ledger)),
        mock.patch.object(Folder, "write", fuse.around(Folder.write)),
        mock.patch.object(Folder, "publish", fuse.around(Folder.publish)),
        mock.patch.object(Folder, "remove", fuse.around(Folder.remove)),
        mock.patch.object(contacts, "move", fuse.around(contacts.move)),
        mock.patch.object(shutil, "rmtree", fuse.around(shutil.rmtree)),
        suppress(Dead),
    ):
        yield


class Mailing(RuleBasedStateMachine):
    """One campaign, from now on."""

    @initialize(
        missed=st.sampled_from(["latest", "all", "skip"]),
        timing=st.sampled_from([{"cron": "0 6 * * *"}, {"every": "8h"}, {"cron": "*/30 1-3 * * *"}]),
        zone=ZONES,
    )
    def begin(self, missed: str, timing: dict[str, str], zone: str) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=SHM))
        schedule = {**timing, "timezone": zone, "missed": missed}
        self.world = self.new_world(schedule)
        self.seen: set[str] = set()
        self.tidy = True
        self.world.run_due()

    def new_world(self, schedule: dict[str, str]) -> World:
        return World(self.folder / "world", letter(schedule=schedule, recheck={"after": "0h"}))

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)

    @rule(span=SPANS)
    def time_passes(self, span: timedelta) -> None:
        self.world.pass_time(span)

    @rule(span=SPANS)
    def the_clock_is_set_back(self, span: timedelta) -> None:
        self.world.pass_time(-span)

    @rule(span=SPANS, steps=st.none() | st.integers(1, 60), taken=st.booleans())
    def the_service_looks(self, span: timedelta, steps: int | None, taken: bool) -> None:
        self.world.pass_time(span)
        with killed_after(steps):
            self.world.run_due()
        if taken and not self.world.outbox.is_file():
            self.world.take()
        self.tidy = steps is None and not self.world.outbox.is_file()

    @rule(number=st.integers(0, 19))
    def somebody_opts_out(self, number: int) -> None:
        self.world.opt_out(number)

    @rule()
    def the_route_breaks_or_is_mended(self) -> None:
        outbox = self.world.outbox
        if outbox.is_file():
            outbox.unlink()
            outbox.with_suffix(".aside").rename(outbox)
        else:
            outbox.mkdir(exist_ok=True)
            outbox.rename(outbox.with_suffix(".aside"))
            outbox.write_text("in the way")

    @rule(
        which=st.integers(0, 5),
        what=st.sampled_from(["resume", "hold", "release", "cancel", "rest", "resend", "delivered", "not delivered"]),
        steps=st.none() | st.integers(1, 60),
    )
    def a_person_decides(self, which: int, what: str, steps: int | None) -> None:
        ledger, job = self.world.ledger(), self.world.job()
        runs = ledger.latest(campaign=self.world.campaign.name)
        if not runs:
            return
        run = runs[which % len(runs)]
        ways = {
            "resume": lambda: resume(job, run, ledger),
            "hold": lambda: hold(run, ledger, SAID),
            "release": lambda: release(job, run, ledger, SAID),
            "cancel": lambda: give_up(job, run, ledger, SAID, rest=False),
            "rest": lambda: give_up(job, run, ledger, SAID, rest=True),
            "resend": lambda: resend(job, run, ledger, SAID),
            "delivered": lambda: settle(job, run, ledger, SAID, delivered=True),
            "not delivered": lambda: settle(job, run, ledger, SAID, delivered=run.run_id in self.lost()),
        }
        # A person may ask for what is not allowed.
        with killed_after(steps), suppress(DmailError):
            ways[what]()
        ledger.engine.dispose()
        self.tidy = self.tidy and steps is None

    def lost(self) -> set[str]:
        """Runs whose file the mail house has, though the ledger does not know."""
        runs = self.world.ledger().latest()
        return {run.run_id for run in runs if any(entry.part.name in self.world.taken for entry in run.parts)}

    @invariant()
    def all_is_well(self) -> None:
        if not hasattr(self, "world"):
            return
        if self.world.outbox.is_file():
            return
        self.world.check(tidy=self.tidy)
        mailed = self.world.mailed()
        for name in set(mailed) - self.seen:
            late = [person for person in mailed[name] if person in self.world.opted_out]
            assert not late, f"{name} is for {late}, who have opted out"
        self.seen |= set(mailed)


class VoucherMailing(Mailing):
    """Two campaigns whose pieces take codes of one pool."""

    def new_world(self, schedule: dict[str, str]) -> World:
        self.others = with_vouchers("card", schedule=schedule, recheck={"after": "0h"})
        world = VoucherWorld(self.folder / "world", with_vouchers("letter", schedule=schedule, recheck={"after": "0h"}))
        world.codes = {"spring": 200}
        return world

    @rule()
    def the_other_campaign_is_next(self) -> None:
        self.world.campaign, self.others = self.others, self.world.campaign
        self.world.run_due()


SEARCH = settings(stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
Mailing.TestCase.settings = settings(SEARCH, max_examples=500 if SOAK else 4)
VoucherMailing.TestCase.settings = settings(SEARCH, max_examples=500 if SOAK else 1)
TestMailing = pytest.mark.soak(Mailing.TestCase)
TestVoucherMailing = pytest.mark.soak(VoucherMailing.TestCase)
