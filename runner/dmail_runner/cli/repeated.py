"""dbt for a command that may build several campaigns."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from dmail_runner.cli.base import watched_dbt

if TYPE_CHECKING:
    from dmail_runner.core.settings import Settings
    from dmail_runner.project.dbt_process import RunDbt


@contextmanager
def repeated_dbt(settings: "Settings") -> "Iterator[RunDbt]":
    """As `watched_dbt`. From the second build on, dbt stays in memory until the context ends."""
    from dmail_runner.project.inputs import project_state
    from dmail_runner.project.warm import WarmDbt

    warm = WarmDbt(partial(project_state, settings), cold=1)
    try:
        yield watched_dbt(warm)
    finally:
        warm.stop()
