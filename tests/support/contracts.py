"""Contracts for tests."""

from pathlib import Path

from dmail_runner.core.settings import Settings
from project import ROOT

SHIPPED = sorted(path.stem for path in (ROOT / "profiles/contracts").glob("*.yml"))


def settings_of(project: Path) -> Settings:
    return Settings(project, project / ".dmail", project / ".dmail/contact_history", None, None)
