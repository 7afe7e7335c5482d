"""A copy of the project, in which a benchmark builds models."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARTS = ("dbt_project.yml", "models", "macros", "seeds", "profiles", "tests/dbt")


def copy_project(folder: Path) -> None:
    """Copy the project, without its data and its ledger."""
    (folder / ".dmail").mkdir(parents=True)
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
