"""What ends an upload that was begun before the freeze."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare.route import FolderRoute
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.intents import Intents
from dmail_runner.ship import ahead
from dmail_runner.ship.answers import Lost, Refused

PART = Part(1, "letters.csv", 1, 2, "0" * 64, "r")


def uploader(monkeypatch: pytest.MonkeyPatch, error: Exception, folder: Path) -> ahead.AheadUploader:
    """An uploader whose first part fails."""

    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(ahead, "send_ahead", fail)
    found = ahead.AheadUploader(FolderRoute(type="folder", path=folder), lambda _: Intents(), lambda _: None)
    found.take(Spooled(PART, folder / "part"))
    return found


@pytest.mark.parametrize("error", [KeyError("x"), LedgerError("the disk is full")], ids=["a bug", "the ledger"])
def test_an_error_that_is_not_the_servers_reaches_the_run(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is recorded and announced there, as any other. In its thread it would only be printed."""
    with pytest.raises(type(error)):
        uploader(monkeypatch, error, tmp_path).close()


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (Lost("x"), ahead.AheadUploader.close),
        (Refused("x"), ahead.AheadUploader.close),
        (KeyError("x"), ahead.AheadUploader.abandon),
    ],
    ids=["lost", "refused", "abandoned"],
)
def test_an_error_that_is_left_to_the_delivery(
    error: Exception, end: Callable[[ahead.AheadUploader], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = uploader(monkeypatch, error, tmp_path)
    end(found)
    assert set(found.begun) <= {1}
