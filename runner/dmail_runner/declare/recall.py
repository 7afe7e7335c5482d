"""The file by which a mail house is asked to stop a delivered file, as its provider declares it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Self

from pydantic import model_validator

from dmail_runner.core.template import fill
from dmail_runner.core.yaml import Strict

TRIAL: Mapping[str, str | int | datetime] = {
    "campaign": "campaign", "run": "run", "slot": datetime(2027, 12, 31, 23, 59, tzinfo=UTC), "file": "file", "rows": 1,
    "sha256": "0",
}  # fmt: skip
OF_RUN = ("campaign", "run", "slot")  # the placeholders that a name may have


class RecallFile(Strict):
    """The recall file: its name, and a line for each delivered file."""

    name: str
    """A template of its path on the route. It must have `{run}`, so that no two recalls share a name."""
    header: str | None = None
    """The first line, if there is one."""
    line: str
    """A template of the line for each delivered file, with `{file}`, `{rows}`, `{sha256}`, `{run}`, `{campaign}` and `{slot}`."""

    @model_validator(mode="after")
    def check_templates(self) -> Self:
        if "{run}" not in self.name:
            raise ValueError("`name` must have {run}, so that no two recalls share a name")
        fill(self.name, {name: TRIAL[name] for name in OF_RUN})
        fill(self.line, TRIAL)
        return self
