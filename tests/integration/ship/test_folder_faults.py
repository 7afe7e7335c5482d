"""A folder whose disk is full, fails, is read-only, or is two disks."""

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deliveries import CONTENT, NAME, Ledgerish, send
from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Spooled
from dmail_runner.declare.route import FolderRoute
from dmail_runner.ledger.intents import Word
from dmail_runner.ship import destination


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A file system in memory."""
    folder.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], check=False).returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def route(root: Path, **changes: Any) -> FolderRoute:
    return FolderRoute.model_validate({"type": "folder", "path": root, **changes})


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_temporary_names_on_another_disk(spooled: Spooled, tmp_path: Path) -> None:
    """No rename leads from there. The file is sent once, and once more when the route has other temporary names."""
    root, ledger = tmp_path / "root", Ledgerish()
    with mounted(root / "tmp"):
        for _ in range(2):
            with pytest.raises(DeliveryError, match="is on another file system: give the route another form of `temporary`"):
                send(spooled, route(root, temporary="tmp/{name}"), ledger)
        assert ledger.words.count("creating") == 1
        receipt = send(spooled, route(root), ledger)
        assert files(root) == [NAME]
        assert receipt.left == ()
        assert (root / NAME).read_bytes() == CONTENT


def test_a_full_disk(spooled: Spooled, tmp_path: Path) -> None:
    with mounted(tmp_path / "root", "-o", "size=1m") as root:
        ledger = Ledgerish()
        with pytest.raises(DeliveryError, match="No space left on device"):
            send(spooled, route(root), ledger)
        assert files(root) == []
        assert ledger.words[-1] == "abandoned"


def test_a_disk_that_is_read_only(spooled: Spooled, tmp_path: Path) -> None:
    with mounted(tmp_path / "root", "-o", "ro") as root, pytest.raises(DeliveryError, match="Read-only file system"):
        send(spooled, route(root))


@pytest.mark.parametrize("finish", ["rename", "direct"])
def test_a_disk_that_fails_when_a_file_is_synced(
    spooled: Spooled, tmp_path: Path, finish: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All bytes were written, and perhaps none is on the disk: the file is removed, and sent again."""
    root, ledger = tmp_path / "root", Ledgerish()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeliveryError, match="No space left on device"):
        send(spooled, route(root, finish=finish), ledger)
    monkeypatch.undo()
    assert files(root) == []
    send(spooled, route(root, finish=finish), ledger)
    assert files(root) == [NAME]
    assert (root / NAME).read_bytes() == CONTENT


def test_a_disk_that_fails_when_a_name_is_synced(spooled: Spooled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash the file may have its temporary name again: a person looks at the disk first."""
    root, ledger, sync = tmp_path / "root", Ledgerish(), os.fsync

    def fail(number: int) -> None:
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise OSError(5, "Input/output error")
        sync(number)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Held, match="Input/output error after its rename"):
        send(spooled, route(root), ledger)
    monkeypatch.undo()
    assert send(spooled, route(root), ledger).proof == "found"


def test_a_share_that_is_not_mounted(spooled: Spooled, tmp_path: Path) -> None:
    """Its folder is missing: nothing is delivered into the mount point, and a file that is not there was not taken."""
    share = route(tmp_path / "mount/share", make_directory=False, taken="at_rename")
    (tmp_path / "mount").mkdir()
    for ledger in (Ledgerish(), Ledgerish.after(Word.CREATING, spooled.part)):
        with pytest.raises(DeliveryError, match="share does not exist; is its file system mounted"):
            send(spooled, share, ledger)
    with pytest.raises(Held, match="it is not shown"):
        send(spooled, share, Ledgerish.after(Word.PUBLISHING_ONE, spooled.part))
    assert list((tmp_path / "mount").iterdir()) == []
    (tmp_path / "mount/share/in/box").mkdir(parents=True)
    send(spooled, share)
    assert files(tmp_path / "mount/share") == [NAME]


def test_a_fifo_is_not_waited_for(spooled: Spooled, tmp_path: Path) -> None:
    (tmp_path / "in/box").mkdir(parents=True)
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(DeliveryError, match="is not a file"):
        send(spooled, route(tmp_path))
    with destination(route(tmp_path)) as place:
        assert list(place.read(NAME)) == []
