"""The three models of a campaign: NAME__audience, NAME__recipients and NAME__extract.

The macros take the campaign's name from the name of the model that calls them. A model with another name would exclude by the
contacts of another campaign, or of none.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.declare.campaign import KEY, SEED, DirectMail
from dmail_runner.project.lineage import Lineage
from dmail_runner.project.nodes import Kind, column_faults

RECIPIENTS: Mapping[str, Kind] = {KEY: "text", "household_key": "text", "exclusion_reason": "text"}
WAVES: Mapping[str, Kind] = {"wave_number": "integer"}
# The macro that returns the campaign's name, and the one that keeps test profiles out of an audience.
CAMPAIGN_NAME, TARGETED = "campaign_name", "targeted"


def find_extract(nodes: Mapping[str, Any], exposure: Mapping[str, Any]) -> dict[str, Any]:
    """The one model that the exposure depends on. Raises ConfigError."""
    name, file = exposure["name"], exposure["original_file_path"]
    key, allowed = f"exposures.{name}.depends_on", f"one: ref('{name}__extract')"
    models = [nodes[node] for node in exposure["depends_on"]["nodes"] if node.startswith("model.") and node in nodes]
    if len(models) != 1:
        raise ConfigError([Problem(file, key, f"names {counted(len(models), 'model')}", allowed)])
    extract: dict[str, Any] = models[0]
    faults = []
    if extract["name"] != f"{name}__extract":
        faults.append(
            Problem(file, key, f"names {extract['name']}: the macros take the campaign's name from the model's", allowed)
        )
    if extract["config"]["materialized"] != "table":
        faults.append(Problem(extract["original_file_path"], "config.materialized", "the extract must be a table", "table"))
    if faults:
        raise ConfigError(faults)
    return extract


def find_recipients(lineage: Lineage, name: str) -> dict[str, Any]:
    """The recipients model above the extract. Raises ConfigError."""
    return find_above(lineage, f"{name}__recipients", "which decides who is included")


def find_audience(lineage: Lineage, name: str) -> dict[str, Any]:
    """The audience model above the recipients. Raises ConfigError."""
    return find_above(lineage, f"{name}__audience", "which decides who qualifies")


def find_above(lineage: Lineage, wanted: str, purpose: str) -> dict[str, Any]:
    """The model of that name above a model. Raises ConfigError."""
    for node in lineage.parents():
        if node["name"] == wanted and node["resource_type"] == "model":
            return node
    file = lineage.nodes[lineage.model]["original_file_path"]
    raise ConfigError([Problem(file, "", f"must select from ref('{wanted}'), {purpose}")])


def model_faults(lineage: Lineage, recipients: Mapping[str, Any], mail: DirectMail | None, name: str) -> Iterator[Problem]:
    """The errors of a campaign's models. `lineage` is the extract's."""
    yield from column_faults(recipients, {**RECIPIENTS, **(WAVES if mail and mail.waves else {})})
    yield from name_faults(lineage, name)
    yield from audience_faults(lineage, name)
    extract = lineage.nodes[lineage.model]
    if SEED in extract["columns"]:
        yield from column_faults(extract, {SEED: "boolean"})


def name_faults(lineage: Lineage, name: str) -> Iterator[Problem]:
    """The errors of models above the extract that use the campaign's name and are not named after the campaign."""
    for node in lineage.parents():
        if not node["name"].startswith(f"{name}__") and CAMPAIGN_NAME in lineage.macro_names(node):
            what = f"calls a macro that takes the campaign's name from the model's, which is not {name}__..."
            yield Problem(node["original_file_path"], "", what, f"that macro in a model of the campaign {name}")


def audience_faults(lineage: Lineage, name: str) -> Iterator[Problem]:
    """The error of an audience that does not call targeted(). It would mail test profiles, and proofs would have real people."""
    own = [node for node in lineage.parents() if node["name"].startswith(f"{name}__")]
    if not any(TARGETED in lineage.macro_names(node) for node in own):
        audience = next((node for node in own if node["name"] == f"{name}__audience"), lineage.nodes[lineage.model])
        what = "does not call targeted(), which keeps test profiles out of the file and real people out of a proof"
        yield Problem(audience["original_file_path"], "", what, "where {% call dmail.targeted() %} ... {% endcall %}")
