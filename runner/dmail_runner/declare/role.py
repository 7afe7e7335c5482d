"""The roles that models have in all campaigns, as their `config.meta.direct_mail` declares them."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, model_validator

from dmail_runner.core.yaml import Strict
from dmail_runner.declare.register import OrName, SuppressionList, named_list

Role = Literal[
    "profiles", "addresses", "suppressions", "suppressed_profiles", "contact_history", "vouchers", "materials", "registers",
    "address_services",
]  # fmt: skip


class ModelMeta(Strict):
    """The `config.meta.direct_mail` of a model: its role in all campaigns. Names of models have no meaning."""

    role: Role | None = None
    """`profiles`: the people who can be mailed, with their consents. `suppressions`: the entries of the suppression lists.
    `suppressed_profiles`: the profiles that match these entries. `contact_history`: the people who were mailed. `addresses`: the
    model that new campaigns select from. `vouchers`: the voucher codes of all pools. `materials`: what mail houses have.
    `registers`: the seed with the registers of each country. `address_services`: the answers of address services."""
    lists: tuple[Annotated[SuppressionList, BeforeValidator(named_list), OrName()], ...] = ()
    """For `suppressions`: the lists, each as a name or as keys. A rule that names another list is then an error of `check`."""

    kept: bool = False
    """`true` for a table that is kept between runs, and built again only if its SQL or a file that it reads has changed."""

    @model_validator(mode="after")
    def check_lists(self) -> Self:
        if self.role is None and not self.kept:
            raise ValueError("`role` is required, or `kept: true`")
        if self.lists and self.role != "suppressions":
            raise ValueError("only the model with the role `suppressions` has `lists`")
        return self
