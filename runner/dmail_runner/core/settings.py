"""Where things are: the project, its state, its warehouse. Read once, at the edge."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from dmail_runner.core.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """Absolute paths of one project; the ledger's SQLAlchemy URL, or None for the file in the state directory.

    `target`: of `profiles/profiles.yml`, or None for the one that is named there. `build_timeout`: minutes that dbt may take for
    one command; 0 is for ever.
    """

    project_dir: Path
    state_dir: Path
    history_dir: Path
    ledger_url: str | None
    target: str | None
    spark_dir: Path = Path()
    build_timeout: float = 0

    @property
    def profiles_dir(self) -> Path:
        return self.project_dir / "profiles"

    @property
    def keys_dir(self) -> Path:
        return self.profiles_dir / "keys"

    @property
    def spool_dir(self) -> Path:
        return self.state_dir / "spool"

    @property
    def figures_dir(self) -> Path:
        return self.state_dir / "figures"

    @property
    def refused_dir(self) -> Path:
        """Logins that a server has refused."""
        return self.state_dir / "refused_logins"

    @property
    def work_dir(self) -> Path:
        # Its `build` is emptied at each run: a name that nobody else gives to a folder.
        return self.state_dir / "dmail-work"

    def kept(self, name: str) -> Path:
        """A file of the state directory that holds what dbt made of the project for one target."""
        return self.state_dir / (f"{self.target}.{name}" if self.target else name)

    def prepare(self) -> None:
        """Make the state directory, for this user alone."""
        try:
            for directory in (self.state_dir, self.spool_dir, self.work_dir):
                directory.mkdir(parents=True, exist_ok=True)
                directory.chmod(0o700)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(
                f"the state directory {self.state_dir} cannot be used: {reason}", todo="DMAIL_STATE_DIR names another"
            ) from None


def find_settings(project_dir: Path | None, target: str | None = None) -> Settings:
    """The settings of the dbt project in `project_dir`, or else in the working directory or above it. Raises UsageError.

    Environment: DMAIL_STATE_DIR (default `.dmail`), DMAIL_LEDGER, DMAIL_HISTORY and DMAIL_SPARK_WAREHOUSE (by default in there),
    DMAIL_TARGET where no target is given, DMAIL_BUILD_TIMEOUT. Relative paths start at the project's folder.
    """
    start = (project_dir or Path.cwd()).resolve()
    above = [start] if project_dir else [start, *start.parents]
    project = next((directory for directory in above if (directory / "dbt_project.yml").is_file()), None)
    if project is None:
        raise UsageError(f"{start} is no dbt project: it has no dbt_project.yml", todo="go to the project, or give --project-dir")
    state = project / (os.environ.get("DMAIL_STATE_DIR") or ".dmail")
    if state.resolve() in (project, *project.parents):
        raise UsageError(f"DMAIL_STATE_DIR must be a folder of its own, not {state}", todo="such as .dmail")
    history = project / (os.environ.get("DMAIL_HISTORY") or state / "contact_history")
    spark = project / (os.environ.get("DMAIL_SPARK_WAREHOUSE") or state / "spark")
    target = target or os.environ.get("DMAIL_TARGET") or None
    return Settings(project, state, history, os.environ.get("DMAIL_LEDGER") or None, target, spark, build_timeout())


def build_timeout() -> float:
    """The minutes of DMAIL_BUILD_TIMEOUT. Raises UsageError."""
    given = os.environ.get("DMAIL_BUILD_TIMEOUT") or "0"
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", given, re.ASCII):
        raise UsageError(f"DMAIL_BUILD_TIMEOUT must be a number of minutes, such as 90, not {given!r}")
    return float(given)
