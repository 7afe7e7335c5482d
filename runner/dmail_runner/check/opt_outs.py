"""The opt-out gate: nobody in the extract has opted out."""

import duckdb

from dmail_runner.core.errors import Held
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import KEY, SEED, Campaign
from dmail_runner.project.warehouse import quote

# What consent_value() makes of every way to say no.
REFUSED = ("n", "dn", "?")


def check_opt_outs(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> None:
    """Raises Held where anybody in the extract has said no, or stands on a list, whatever the rules said.

    A mailing that people get by contract asks nobody: `purpose: contractual`.
    """
    if campaign.mail.purpose != "marketing":
        return
    key = quote(KEY)
    rows = f"(select {key} from {build.extract}" + (f" where not coalesce({quote(SEED)}, false))" if campaign.has_seeds else ")")
    # One look at a value, which may be a long expression of a view.
    said_no = " or ".join(f"list_contains({list(REFUSED)}, {column})" for column in ("postal_mail_consent", "marketing_consent"))
    valid = "coalesce(valid_from <= {0}, true) and coalesce(valid_until > {0}, true)".format(f"timestamp '{build.as_of}'")
    looks = {
        "have said no": build.profiles and f"select {key} from {build.profiles} where {said_no}",
        "stand on a suppression list": build.suppressions and f"select {key} from {build.suppressions} where {valid}",
    }
    for what, people in looks.items():
        if not people:
            continue
        count, first = connection.execute(
            f"select count(*), min({key}) from {rows} as extract semi join ({people}) as people using ({key})"
        ).fetchone() or (0, None)
        if count:
            raise Held(
                "opt_out",
                f"{campaign.name}: {count:,} people in the file {what}, such as {KEY} {first}: nothing was delivered",
                todo="let the recipients' rules exclude them (consent(), suppressed()); a letter that nobody can refuse is "
                "`purpose: contractual`",
            )
