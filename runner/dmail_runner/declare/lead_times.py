"""How long a mail house and the post take, in working days."""

from typing import Annotated

from pydantic import Field

from dmail_runner.core.yaml import Strict


class LeadTimes(Strict):
    """The working days from a campaign's file to the letter box. Weekends and public holidays do not count."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    """ISO 3166-1 alpha-2 of the country whose public holidays count, such as `DE`. They need the extra `dates`."""
    region: Annotated[str, Field(min_length=1)] | None = None
    """A part of the country with public holidays of its own, such as `BY`, as the Python library `holidays` names it."""
    production_days: Annotated[int, Field(ge=0, le=60)]
    """The working days from the day of the slot to the mail date, when the mail house hands the pieces over to the post."""
    delivery_days: Annotated[int, Field(ge=0, le=60)]
    """The working days from the mail date to the day on which the last pieces are delivered."""
