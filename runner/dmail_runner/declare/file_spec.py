"""The extraction file as a campaign declares it: its name, the order of its rows, and its notes."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dmail_runner.core.yaml import Strict
from dmail_runner.declare.sort_key import SortKeys


def check_file_name(name: str) -> str:
    """Validate a relative path, which must stay below the route's folder on any server."""
    if not name or re.search(r"[\x00-\x1f\x7f\\]", name):
        raise ValueError("must be a file name or a relative path with forward slashes and no control characters")
    if name.startswith("/") or any(part in ("", ".", "..") or part.startswith(("-", "~")) for part in name.split("/")):
        raise ValueError(
            "must stay below the route's folder: no leading `/`, no empty, `.` or `..` part, no part that starts with `-` or `~`"
        )
    return name


class Note(Strict):
    """Lines of text before or after everything else in the file, as a template."""

    text: Annotated[str, Field(min_length=1)]
    """The lines, as a template: `{campaign}`, `{label}`, `{run}`, `{slot}`, `{rows}`, `{part}`, `{parts}`."""
    position: Literal["header", "footer"] = "header"
    """The position of the lines: at the beginning or the end of the file."""


class FileSpec(Strict):
    """The extraction file: its name, the order of its rows, and its notes."""

    name: Annotated[str, AfterValidator(check_file_name)]
    """The file's name, or a relative path below the route's folder. Placeholders such as `{slot:%Y%m%d}` are replaced."""
    timestamp: bool = False
    """Whether the slot's time in UTC is added to the name, before its suffix."""
    sort_by: SortKeys = ()
    """The columns to sort by, such as `postal_code desc nulls first` or `city collate de`, and at last always `profile_id`. Or a
    post's sort plan: `post:us_presort`, `post:de_dialogpost`, `post:uk_mailsort` or `post:br_cep`."""
    seeds: Literal["mixed", "first", "last"] = "mixed"
    """The position of the seed addresses among the rows."""
    note: Note | None = None
    """Lines of text at the beginning or the end of the file."""

    @property
    def plan(self) -> str | None:
        """The post's sort plan; None if the file is sorted by columns."""
        return next((key.plan for key in self.sort_by), None)

    @model_validator(mode="after")
    def check_plan(self) -> Self:
        if self.plan and len(self.sort_by) > 1:
            raise ValueError("a sort plan of a post has no other sort keys beside it")
        if self.plan and self.seeds != "mixed":
            raise ValueError("a sort plan of a post has a place for each seed address: `seeds` must be `mixed`")
        return self
