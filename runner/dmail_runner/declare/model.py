"""Models of dbt that the runner names, and those that the opt-out gate reads."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A dbt model: its unique id, its name, and its selector for `--select`."""

    id: str
    name: str
    selector: str


@dataclass(frozen=True)
class OptOuts:
    """The models that the opt-out gate reads.

    Attributes:
        profiles: the profiles with their consents.
        suppressions: the entries of the suppression lists.
        suppressed: the profiles that these entries match.
    """

    profiles: Model
    suppressions: Model
    suppressed: Model

    @property
    def models(self) -> tuple[Model, ...]:
        """All three models."""
        return self.profiles, self.suppressions, self.suppressed
