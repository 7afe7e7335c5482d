"""Twenty slots with a mail house whose truth is known: what is received and reconciled is that truth."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import yaml

from dmail_runner.core.materials import Count, in_use
from dmail_runner.inbound.acknowledged import acknowledged
from dmail_runner.run.commitments import spent_on, uses
from effort import SOAK
from mail_house import MailHouse
from mailbox_of import Mailbox
from sshd import Sshd
from supplied_world import SuppliedWorld
from tiny import letter
from worlds import DAILY, DAY, states

SLOTS = 20


def test_after_twenty_slots_every_piece_is_reconciled(mailbox: Mailbox) -> None:
    mailbox.world = world = SuppliedWorld(mailbox.settings.project_dir, letter(), people=500)
    world.declare(schedule=DAILY, budget={"order": "PO-1", "max": "9500 EUR"}, materials=[{"item": "envelope"}])
    world.count(envelope=(10_500, "2027-03-01 00:00:00"))
    world.provider["acknowledge_within"] = "2d"
    folders = {"answers": {"type": "folder", "path": "answers"}, "out": {"type": "folder", "path": "outbox"}}
    check_supplies(mailbox, reconcile(mailbox, folders, SLOTS))


@pytest.mark.soak
def test_every_piece_is_reconciled_over_a_real_server(mailbox: Mailbox, sshd: Sshd) -> None:
    mailbox.world.people, mailbox.world.campaign = 500, letter(schedule=DAILY)
    mailbox.there, mailbox.world.place = sshd.root, sshd.root / "out"
    (sshd.root / "out").mkdir()
    login = {
        "host": "127.0.0.1",
        "port": sshd.port,
        "user": sshd.user,
        "private_key": str(sshd.key),
        "host_key": sshd.fingerprint,
    }
    server = {"type": "sftp", **login}
    reconcile(mailbox, {"answers": server, "out": {**server, "directory": "out"}}, SLOTS if SOAK else 3)


def reconcile(mailbox: Mailbox, routes: dict[str, Any], slots: int) -> MailHouse:
    """Run so many slots with a mail house, and compare what was received with its truth. Returns the mail house."""
    world = mailbox.world
    (mailbox.settings.profiles_dir / "routes.yml").write_text(yaml.safe_dump(routes))
    returns = {
        "route": "answers",
        "files": "back/*.csv",
        "kind": "returns",
        "columns": {"profile_id": "profile_id", "reason": "reason", "happened_at": "happened_at"},
    }
    mailbox.declare(
        ack={"route": "answers", "files": "ack/*.csv", "layout": "generic_acknowledgement"},
        bill={"route": "answers", "files": "bill/*.csv", "layout": "generic_invoice"},
        back=returns,
    )
    house = MailHouse(world, mailbox.there, seed=1)
    world.run_due()
    for _ in range(slots):
        world.pass_time(DAY)
        assert world.run_due() == [], "no difference holds a slot"
        house.work()
        world.pass_time(timedelta(minutes=5))
        mailbox.receive()
        mailbox.put("back/another.csv", "order;customer\n1;2\n", age=world.now.timestamp() % 1000)
        assert [file.state for file in mailbox.receive()] in (["aside"], [])
    assert {state for _, state in states(world)} == {"settled"}
    runs = world.ledger().latest(slots + 5)
    found = acknowledged(mailbox.settings, {run.run_id: [entry.part.name for entry in run.parts] for run in runs})
    assert len(found) == slots
    for run in runs:
        (name,) = [entry.part.name for entry in run.parts]
        report = found[run.run_id]
        assert (report.mailed, report.rejected or 0, report.billed) == (
            house.mailed[name],
            house.rejected[name],
            house.mailed[name],
        )
    stored = set(mailbox.rows(columns="profile_id, reason, happened_at::date::varchar"))
    assert Counter((who, why) for who, why, _ in stored) == Counter(house.returned)
    return house


def check_supplies(mailbox: Mailbox, house: MailHouse) -> None:
    """What the order has cost is what was billed, and each delivery was taken from the stock once."""
    world = mailbox.world
    money = [Decimal(f"{0.9 * count:.2f}") for count in house.mailed.values()]
    found_spent = spent_on(mailbox.settings, world.ledger(), "PO-1", "EUR")
    assert (found_spent.amount, found_spent.unknown) == (sum(money), ()), "the estimates of 1 EUR would have exceeded the budget"
    counted = Count("envelope", 10_500, datetime(2027, 3, 1, tzinfo=UTC))
    taken = uses(mailbox.settings, world.ledger())
    assert in_use(taken, counted) == 500 * SLOTS
    assert in_use(taken, replace(counted, counted=world.now)) == 500, "a count of today may be older than today's mailing"
