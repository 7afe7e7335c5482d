"""The paths and options of one project, as the command line and the environment set them."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from dmail_runner.core import links
from dmail_runner.core.errors import UsageError
from dmail_runner.core.parquet import VARIABLE, parse_key


@dataclass(frozen=True)
class Settings:
    """The paths and options of one project. All paths are absolute.

    Attributes:
        project_dir: the folder of `dbt_project.yml`.
        state_dir: the folder of what the runner stores: the ledger, the log, frozen files.
        history_dir: the folder of the contact history.
        ledger_url: the SQLAlchemy URL of the ledger; None for the file in the state directory.
        target: a target of dbt's profiles.yml; None for the default target of that file.
        spark_dir: the folder that a Spark target builds in.
        build_timeout: minutes that one dbt command may take; 0 for no limit.
        inbound: the folder of what providers have sent; None for the default.
        history_key: the key of the contact history; None if it is not encrypted.
        link_key: the key of personal addresses; None if there is none.
        keeps_tables: whether tables with `kept: true` are kept between runs.
    """

    project_dir: Path
    state_dir: Path
    history_dir: Path
    ledger_url: str | None
    target: str | None
    spark_dir: Path = Path()
    build_timeout: float = 0
    inbound: Path | None = None
    history_key: SecretStr | None = field(default=None, repr=False)
    link_key: SecretStr | None = field(default=None, repr=False)
    keeps_tables: bool = True

    @property
    def profiles_dir(self) -> Path:
        return self.project_dir / "profiles"

    @property
    def dbt_profiles_file(self) -> Path:
        """Dbt's profiles.yml: the one in `profiles/`, or else where dbt looks: DBT_PROFILES_DIR, the project, `~/.dbt`."""
        given = os.environ.get("DBT_PROFILES_DIR")
        folders = [
            self.profiles_dir,
            *([Path(given).expanduser().absolute()] if given else [self.project_dir, Path.home() / ".dbt"]),
        ]
        return next(
            (folder / "profiles.yml" for folder in folders if (folder / "profiles.yml").is_file()), folders[0] / "profiles.yml"
        )

    @property
    def inbound_dir(self) -> Path:
        """The contents of files that providers have sent."""
        return self.inbound or self.state_dir / "inbound"

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
    def replay_dir(self) -> Path:
        """The copy of the contact history that a replay reads. It is removed at the end."""
        return self.state_dir / "replay"

    @property
    def work_dir(self) -> Path:
        # The folder is emptied at each run, so its name must not be one that a project uses for something else.
        return self.state_dir / "dmail-work"

    @property
    def extensions_dir(self) -> Path:
        return self.state_dir / "extensions"

    def target_file(self, name: str) -> Path:
        """The path of a file in the state directory that belongs to the current target, such as dbt's manifest."""
        return self.state_dir / (f"{self.target}.{name}" if self.target else name)

    def prepare(self) -> None:
        """Create the state directory, readable by this user only. Raises UsageError."""
        try:
            default = (self.state_dir / "contact_history", self.state_dir / "inbound")
            for directory in (self.spool_dir, self.work_dir, self.figures_dir, self.replay_dir, self.state_dir / "log", *default):
                if directory.is_symlink():
                    raise UsageError(f"{directory} is a symbolic link: personal data would be written elsewhere")
            for directory in (self.state_dir, self.spool_dir, self.work_dir):
                directory.mkdir(parents=True, exist_ok=True)
                directory.chmod(0o700)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(
                f"the state directory {self.state_dir} cannot be used: {reason}", todo="set DMAIL_STATE_DIR to another folder"
            ) from None


def find_settings(project_dir: Path | None, target: str | None = None) -> Settings:
    """Find the dbt project and read its settings from the environment.

    The environment variables are DMAIL_STATE_DIR (by default `.dmail`), DMAIL_LEDGER, DMAIL_HISTORY, DMAIL_INBOUND and
    DMAIL_SPARK_WAREHOUSE (by default within the state directory), DMAIL_TARGET, DMAIL_BUILD_TIMEOUT, DMAIL_HISTORY_KEY,
    DMAIL_LINK_KEY and DMAIL_KEEP_TABLES. Relative paths start at the project's folder.

    Args:
        project_dir: the project's folder; None searches the working directory and the folders above it.
        target: the dbt target; None takes DMAIL_TARGET.

    Raises:
        UsageError: if there is no project, or a variable has a wrong value.
    """
    start = (project_dir or Path.cwd()).resolve()
    candidates = [start] if project_dir else [start, *start.parents]
    project = next((directory for directory in candidates if (directory / "dbt_project.yml").is_file()), None)
    if project is None:
        raise UsageError(
            f"{start} is not a dbt project: it has no dbt_project.yml",
            todo="change to the project's folder, or use --project-dir",
        )
    state = project / (os.environ.get("DMAIL_STATE_DIR") or ".dmail")
    if state.resolve() in (project, *project.parents):
        raise UsageError(
            f"DMAIL_STATE_DIR must not be the project's folder or one above it: {state}", todo="use a folder such as .dmail"
        )
    history = project / (os.environ.get("DMAIL_HISTORY") or state / "contact_history")
    spark = project / (os.environ.get("DMAIL_SPARK_WAREHOUSE") or state / "spark")
    inbound = project / (os.environ.get("DMAIL_INBOUND") or state / "inbound")
    target = target or os.environ.get("DMAIL_TARGET") or None
    ledger, key = os.environ.get("DMAIL_LEDGER") or None, parse_key(os.environ.get(VARIABLE))
    link_key = parse_key(os.environ.get(links.VARIABLE), links.VARIABLE)
    return Settings(project, state, history, ledger, target, spark, build_timeout(), inbound, key, link_key, keeps_tables())


def keeps_tables() -> bool:
    """Whether DMAIL_KEEP_TABLES is not `off`. Raises UsageError."""
    value = os.environ.get("DMAIL_KEEP_TABLES") or "on"
    if value not in ("on", "off"):
        raise UsageError(f"DMAIL_KEEP_TABLES must be on or off, not {value!r}")
    return value == "on"


def build_timeout() -> float:
    """The minutes of DMAIL_BUILD_TIMEOUT. Raises UsageError."""
    value = os.environ.get("DMAIL_BUILD_TIMEOUT") or "0"
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", value, re.ASCII):
        raise UsageError(f"DMAIL_BUILD_TIMEOUT must be a number of minutes, such as 90, not {value!r}")
    return float(value)
