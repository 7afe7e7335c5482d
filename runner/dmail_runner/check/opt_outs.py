"""The opt-out gate: nobody in the extract has opted out."""

import duckdb

from dmail_runner.core.errors import BuildError, Held
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import KEY, SEED, Campaign
from dmail_runner.project.warehouse import quote

# The answers that count as consent, besides none at all; consent_value() writes them. Everything else is a refusal.
CONSENTS = ("y", "dy", "p", "u", "li", "ct", "cp", "vi", "pi")


def check_opt_outs(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> None:
    """Raises Held if anybody in the extract has refused consent, or is on a suppression list, whatever the rules are.

    It does not look at campaigns that opt-outs do not stop (`purpose: contractual`). Raises BuildError if the profiles or the
    suppressions were not built.
    """
    if campaign.mail.purpose != "marketing":
        return
    if build.profiles is None or build.suppressions is None:
        raise BuildError(f"campaign {campaign.name}: the models that say who has opted out were not built")
    key = quote(KEY)
    rows = f"(select {key} from {build.extract}" + (f" where not coalesce({quote(SEED)}, false))" if campaign.has_seeds else ")")
    # list_contains() evaluates the column once; it may be a long expression of a view.
    refused = " or ".join(
        f"not list_contains({list(CONSENTS)}, {column})" for column in ("postal_mail_consent", "marketing_consent")
    )
    valid = "coalesce(valid_from <= {0}, true) and coalesce(valid_until > {0}, true)".format(f"timestamp '{build.as_of}'")
    looks = {
        "have said no": f"select {key} from {build.profiles} where {refused}",
        "stand on a suppression list": f"select {key} from {build.suppressions} where {valid}",
    }
    for what, people in looks.items():
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
