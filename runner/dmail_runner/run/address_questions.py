"""SQL for the addresses that an address service is to be asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dmail_runner.declare.campaign import KEY
from dmail_runner.declare.inbound import AddressRequests
from dmail_runner.project.roles import ASKED
from dmail_runner.project.warehouse import literal, quote

COLUMNS = ("request_id", KEY, *ASKED)  # of the file


@dataclass(frozen=True)
class Asking:
    """What is to be asked.

    Attributes:
        entry: the entry of profiles/inbound.yml.
        requests: what it declares.
        route: the route that the file is delivered by.
        now: the present time.
    """

    entry: str
    requests: AddressRequests
    route: str
    now: datetime

    @property
    def at(self) -> str:
        """The present time, as a SQL timestamp in UTC."""
        return f"{self.now.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def open_questions(asking: Asking, services: str, suppressed: str, stored: Sequence[str]) -> str:
    """SQL for the addresses without an answer that may be used, and without a question whose answer is waited for.

    People on a suppression list are not asked about, except for those whose mail came back: the service may know where they are.

    Args:
        services: the relation of the role `address_services`.
        suppressed: the relation of the role `suppressed_profiles`.
        stored: the Parquet files with the questions that were asked.
    """
    columns, requests = ", ".join(map(quote, COLUMNS)), asking.requests
    countries = ", ".join(map(literal, requests.countries))
    seconds = {name: int(getattr(requests, name).total_seconds()) for name in ("max_age", "answer_within")}
    oldest = {name: f"timestamp {literal(asking.at)} - interval {span} second" for name, span in seconds.items()}
    asked = "select cast(null as varchar) as request_id, cast(null as timestamp) as asked_at where false"
    if stored:
        files = ", ".join(map(literal, stored))
        asked = f"select request_id, max(asked_at) as asked_at from read_parquet([{files}]) group by request_id"
    return f"""
        with
            people as (
                select {columns}, max(answered_at) filter (entry = {literal(asking.entry)}) as answered_at
                from {services}
                where country_code in ({countries}) and address_line1 is not null
                group by all
            ),
            asked as ({asked})
        select {columns}
        from people
        left join asked using (request_id)
        where
            coalesce(answered_at < {oldest["max_age"]}, true)
            and not coalesce(asked_at > {oldest["answer_within"]} and coalesce(answered_at < asked_at, true), false)
            and {KEY} not in (select {KEY} from {suppressed} where {KEY} is not null and list_name <> 'returned_mail')
        order by request_id
    """
