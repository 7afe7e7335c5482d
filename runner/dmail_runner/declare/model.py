"""The models that campaigns share: what their `config.meta.direct_mail` declares."""

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import model_validator

from dmail_runner.core.yaml import Strict

Role = Literal["profiles", "addresses", "suppressions", "suppressed_profiles", "contact_history", "vouchers", "materials"]


class ModelMeta(Strict):
    """The `config.meta.direct_mail` of a model: its role in all campaigns. Names of models have no meaning."""

    role: Role | None = None
    """`profiles`: the people who can be mailed, with their consents. `suppressions`: the entries of the suppression lists.
    `suppressed_profiles`: the profiles that match these entries. `contact_history`: the people who were mailed. `addresses`: the
    model that new campaigns select from. `vouchers`: the voucher codes of all pools. `materials`: what mail houses have."""
    lists: tuple[str, ...] = ()
    """For `suppressions`: the names of the lists. A rule that names another list is then an error of `check`."""
    kept: bool = False
    """`true` for a table that is kept between runs, and built again only if its SQL or a file that it reads has changed."""

    @model_validator(mode="after")
    def check_lists(self) -> Self:
        if self.role is None and not self.kept:
            raise ValueError("`role` is required, or `kept: true`")
        if self.lists and self.role != "suppressions":
            raise ValueError("only the model with the role `suppressions` has `lists`")
        return self


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
