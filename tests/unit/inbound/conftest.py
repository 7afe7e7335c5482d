"""Fixtures that tests of this folder share."""

from pathlib import Path

import pytest

from mailbox_of import Mailbox


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    """A project that receives files from a folder."""
    return Mailbox(tmp_path / "world")
