"""The verdicts of windows, without a project: who was counted before, and by which verdict."""

from pathlib import Path

import duckdb
import pytest

from dmail_runner.core.settings import Settings
from dmail_runner.history.contacts import VERDICTS
from dmail_runner.history.verdicts import counted_before, hash_of

RUNS = {
    "letter-20270301T060000Z": {"ann": "consent", "bob": "consent", "cid": "included", "eve": "suppressed"},
    "letter-20270303T060000Z": {"ann": "suppressed", "cid": "contract:ZIP:required"},
    "other-20270301T060000Z": {"dan": "consent"},
}


def write(folder: Path, run_id: str, verdicts: dict[str, str]) -> Path:
    """Write the verdicts of a window."""
    folder.mkdir(parents=True, exist_ok=True)
    campaign, _, slot = run_id.rpartition("-")
    rows = ", ".join(f"('{hash_of(campaign, name)}', '{verdict}')" for name, verdict in verdicts.items())
    with duckdb.connect() as connection:
        moment = f"strptime('{slot}', '%Y%m%dT%H%M%SZ')"
        connection.execute(
            f"copy (select *, {moment} as slot from (values {rows}) as v (person, verdict)) to '{folder / VERDICTS}'"
        )
    return folder / VERDICTS


@pytest.mark.parametrize(
    ("run_id", "replaced"),
    [
        # The newest window: the last verdict of each person was that of the newest other window.
        ("letter-20270304T060000Z", {"suppressed": 2, "consent": 1, "contract:ZIP:required": 1}),
        # A window that is made again, as that of an empty run: its own earlier verdicts do not count.
        ("letter-20270303T060000Z", {"suppressed": 1, "consent": 2, "included": 1}),
        # A window that is made late: later verdicts of ann and cid are the last ones, and theirs here replace themselves.
        ("letter-20270302T060000Z", {"included": 2, "consent": 1, "suppressed": 1}),
    ],
)
def test_each_person_is_counted_with_the_last_verdict(tmp_path: Path, run_id: str, replaced: dict[str, int]) -> None:
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)
    for name, verdicts in RUNS.items():
        write(settings.history_dir / name, name, verdicts)
    new = write(tmp_path / "spool", run_id, dict.fromkeys(("ann", "bob", "cid", "dan", "eve"), "included"))
    with duckdb.connect() as connection:
        assert counted_before(connection, settings, run_id, new) == replaced
