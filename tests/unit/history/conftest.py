"""Fixtures that tests of this folder share."""

from pathlib import Path

import pytest

from shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")
