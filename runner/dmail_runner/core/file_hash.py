"""The SHA-256 of files, each of which is read once, and the marks by which a change is noticed."""

import hashlib
import os
import time
from pathlib import Path

SETTLED = 2.0  # seconds after its last change, from which on a file's marks tell any further change
Marks = tuple[int, int, int, int, int]  # device, inode, size, and the times of the content and of the inode

_known: dict[tuple[str, Marks], str] = {}


def file_hash(file: Path) -> str:
    """The SHA-256 of a file's content. It is read again only if the file has been written since.

    A file that was written in the last moments is read each time, because the next write could leave the same marks.

    Raises:
        OSError: if the file cannot be read.
    """
    with file.open("rb") as content:
        before = settled_marks(os.fstat(content.fileno()))
        if before and (known := _known.get((str(file), before))):
            return known
        found = hashlib.file_digest(content, "sha256").hexdigest()
        after = settled_marks(os.fstat(content.fileno()))
    if before and after == before:
        _known[str(file), before] = found
    return found


def settled_marks(stat: os.stat_result) -> Marks | None:
    """What changes when a file is written or replaced; None if it was written in the last moments."""
    if time.time() - max(stat.st_mtime, stat.st_ctime) <= SETTLED:
        return None
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
