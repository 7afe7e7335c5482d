"""A source as its author declares it in dbt: how old its data may be, and what shows that an export is incomplete."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from dmail_runner.core.yaml import Strict
from dmail_runner.declare.schedule import Share


class SourceMeta(Strict):
    """The `config.meta.direct_mail` of a source: what shows that an export is incomplete, and its encoding."""

    min_rows: Annotated[int, Field(ge=1)] | None = None
    """A source with fewer rows stops the run."""
    row_count_file: Annotated[str, Field(min_length=1)] | None = None
    """A text file beside the export that begins with its number of rows, as a path within the project. If the numbers differ, the
    run stops."""
    max_missing: Annotated[Share, Field(gt=0, lt=1)] | None = None
    """So many of the rows that the source had in the last run may be missing now, such as `10%`. More hold the run."""
    encoding: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    """The encoding of its CSV files: `utf-8`, `utf-16` or `latin-1`. DuckDB's extension `encodings` has more."""


@dataclass(frozen=True)
class Source:
    """A source that a campaign reads, with its declared limits.

    Attributes:
        name: the source and its table, such as `crm.profiles`.
        file: the YAML file that declares it.
        location: the path, or the glob pattern, of its files; None for a relation of the warehouse.
        relation: SQL to select from, if it has no files.
        loaded_at: SQL for the time of a row; None for the time of the newest file.
        filter: SQL for the rows whose times count; None for all rows.
        warn_after: data that is older is reported; None for no limit.
        error_after: data that is older stops the run; None for no limit.
        rows: how many rows it must have.
    """

    name: str
    file: str
    location: str | None
    relation: str
    loaded_at: str | None = None
    filter: str | None = None
    warn_after: timedelta | None = None
    error_after: timedelta | None = None
    rows: SourceMeta = field(default_factory=SourceMeta)

    @property
    def is_timed(self) -> bool:
        """Whether a limit of its age is declared."""
        return self.warn_after is not None or self.error_after is not None

    @property
    def is_counted(self) -> bool:
        """Whether a number of rows is declared."""
        return self.rows.model_copy(update={"encoding": None}) != SourceMeta()

    @property
    def stops(self) -> bool:
        """Whether a limit is declared that stops a run."""
        return self.error_after is not None or self.is_counted
