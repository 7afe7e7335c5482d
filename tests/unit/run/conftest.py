"""Fixtures that tests of this folder share."""

from pathlib import Path

import pytest

from tiny import World, letter
from worlds import DAILY


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A daily letter, first seen at noon."""
    world = World(tmp_path / "world", letter(schedule=DAILY))
    assert world.run_due() == []
    return world
