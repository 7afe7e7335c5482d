"""The models that declare a role in all campaigns: profiles, addresses, suppressions, contact history, vouchers, materials."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.yaml import parse
from dmail_runner.declare.campaign import KEY, VOUCHER, VOUCHER_POOL
from dmail_runner.declare.model import Model, OptOuts
from dmail_runner.declare.register import Register, SuppressionList, read_registers
from dmail_runner.declare.role import ModelMeta, Role
from dmail_runner.project.nodes import Kind, column_faults, described_in, meta_of

# The columns that an address service is asked about.
ASKED = ("first_name", "last_name", "company", "address_line1", "address_line2", "city", "region", "postal_code", "country_code")
# The columns that the runner and the rules read. Addresses are read by campaigns alone.
COLUMNS: Mapping[Role, Mapping[str, Kind]] = {
    "profiles": {KEY: "text", "postal_mail_consent": "text", "marketing_consent": "text", "is_test_profile": "boolean"},
    "suppressions": {
        "list_name": "text",
        KEY: "text",
        "person_key": "text",
        "valid_from": "timestamp",
        "valid_until": "timestamp",
        "as_of": "timestamp",
    },
    "suppressed_profiles": {KEY: "text", "list_name": "text", "matched_by": "text", "matched_key": "text"},
    "contact_history": {KEY: "text", "household_key": "text", "campaign": "text", "slot": "timestamp", "cell": "text"},
    "vouchers": {"pool": "text", "code": "text", "valid_until": "timestamp"},
    "materials": {
        "item": "text",
        "on_hand": "integer",
        "alert_level": "integer",
        "valid_until": "timestamp",
        "lead_time_days": "integer",
        "counted_at": "timestamp",
    },
    "address_services": {
        **dict.fromkeys((KEY, "request_id", *ASKED, "entry", "change"), "text"),
        "answered_at": "timestamp",
    },
}
# The table of the source `dmail` with the people who were erased on request.
FORGOTTEN = ("dmail", "forgotten")
REF = r"ref\(([^(){}]*)\)"
# The only code that the model of the suppressed profiles may have, besides comments, and that of the model with their keys.
THE_CALL = re.compile(
    rf"\{{\{{-?\s*dmail\.suppressed_profiles\(\s*(?:profiles\s*=\s*)?{REF}\s*(?:,\s*(?:keyed\s*=\s*)?{REF}\s*)?,?\s*\)\s*-?\}}\}}"
)
THE_KEYS = re.compile(rf"\{{\{{-?\s*dmail\.keyed_addresses\(\s*(?:people\s*=\s*)?{REF}\s*,?\s*\)\s*-?\}}\}}")
COMMENTS = re.compile(r"--[^\n]*|\{#.*?#\}|\{\{\s*config\([^(){}]*\)\s*\}\}", re.DOTALL)


class Roles:
    """The models that declare a role."""

    def __init__(self, nodes: Mapping[str, Any], sources: Mapping[str, Any]) -> None:
        self.nodes = nodes
        self.sources = sources
        self.faults: list[Problem] = []
        self.lists: dict[str, SuppressionList] = {}  # the suppression lists that are declared, by name
        self.players: dict[Role, list[str]] = {role: [] for role in get_args(Role)}
        for unique_id, node in nodes.items():
            if "direct_mail" in (meta := meta_of(node)):
                file, key = described_in(node), f"{node['resource_type']}s.{node['name']}.config.meta.direct_mail"
                try:
                    given = parse(ModelMeta, meta["direct_mail"], file, key)
                    if given.role:
                        self.players[given.role].append(unique_id)
                    self.lists.update({entry.name: entry for entry in given.lists})
                except ConfigError as error:
                    self.faults.extend(error.problems)

    def player(self, role: Role) -> Model:
        """The model with a role. Raises ConfigError if there is none, if there are several, or if the runner cannot read it."""
        (unique_id,) = self.only(role, self.players[role])
        node = self.nodes[unique_id]
        wanted = COLUMNS.get(role)
        if faults := [*unreadable(node), *(column_faults(node, wanted) if wanted else ())]:
            raise ConfigError(faults)
        return Model(unique_id, node["name"], ".".join(node["fqn"]))

    def only(self, role: Role, found: list[str]) -> list[str]:
        """A list of one model. Raises ConfigError if there is none, or several."""
        if len(found) == 1 and not self.faults:
            return found
        names = " and ".join(sorted(found)) or "no model"
        what = f"{names} {'declare' if len(found) > 1 else 'declares'} the role {role} (config.meta.direct_mail.role)"
        wrong = [] if len(found) == 1 else [Problem("models", "", what, "one model")]
        raise ConfigError([*self.faults, *wrong])

    def opt_outs(self, recipients: str) -> OptOuts:
        """The models that the opt-out gate reads for a marketing campaign. Raises ConfigError if one of them may be incomplete.

        The recipients must be selected from the profiles, because the gate finds consents by the profiles' keys.
        """
        faults: list[Problem] = []
        found: dict[Role, Model] = {}
        for role in ("profiles", "suppressions", "suppressed_profiles", "contact_history"):
            try:
                found[role] = self.player(role)
            except ConfigError as error:
                faults.extend(problem for problem in error.problems if problem not in faults)
        if (profiles := found.get("profiles")) and profiles.id not in self.above(recipients):
            node = self.nodes[recipients]
            what = f"is not selected from {profiles.name}, the model with the role profiles, so that no consent would be known"
            faults.append(Problem(node["original_file_path"], "", what))
        if suppressions := found.get("suppressions"):
            faults.extend(self.forgets_nobody(suppressions))
        if suppressed := found.get("suppressed_profiles"):
            faults.extend(self.sees_everybody(suppressed, found))
        if faults:
            raise ConfigError(faults)
        return OptOuts(found["profiles"], found["suppressions"], found["suppressed_profiles"])

    def forgets_nobody(self, suppressions: Model) -> Iterator[Problem]:
        """The error of suppressions without the people who were erased on request. Their next import would be mailed."""
        above = (self.sources[node] for node in self.above(suppressions.id) if node in self.sources)
        if not any((source["source_name"], source["name"]) == FORGOTTEN for source in above):
            node = self.nodes[suppressions.id]
            what = "does not contain the people who were erased on request"
            yield Problem(node["original_file_path"], "", what, "a union with {{ dmail.forgotten() }} as the list 'forgotten'")

    def sees_everybody(self, suppressed: Model, found: Mapping[Role, Model]) -> Iterator[Problem]:
        """The errors of a model that may not have all profiles on all lists. The gate would accept the missing ones."""
        node = self.nodes[suppressed.id]
        file = node["original_file_path"]
        call = the_only_call(THE_CALL, node)
        if call is None:
            yield Problem(file, "", "is not suppressed_profiles() alone", "{{ dmail.suppressed_profiles(ref('...')) }}")
            return
        for role in ("profiles", "suppressions"):
            if (model := found.get(role)) and model.id not in node["depends_on"]["nodes"]:
                yield Problem(file, "", f"does not read {model.name}, the model with the role {role}")
        profiles, keyed = call[1], call[2]
        if keyed and (model := found.get("profiles")) and (named(profiles) != model.name or not self.keys_of(model, node, keyed)):
            what = f"may only read the keys of a model that is keyed_addresses() of {model.name} alone"
            allowed = f"{{{{ dmail.suppressed_profiles(ref('{model.name}'), ref('...')) }}}}"
            yield Problem(file, "", what, allowed)

    def keys_of(self, profiles: Model, node: Mapping[str, Any], keyed: str) -> bool:
        """Whether a model that a node reads is `keyed_addresses()` of the profiles. `keyed`: the arguments of its `ref()`."""
        parents = [self.nodes[parent] for parent in node["depends_on"]["nodes"] if parent in self.nodes]
        found = [parent for parent in parents if parent["name"] == named(keyed)]
        call = the_only_call(THE_KEYS, found[0]) if len(found) == 1 else None
        return call is not None and named(call[1]) == profiles.name and profiles.id in found[0]["depends_on"]["nodes"]

    def registers(self) -> tuple[Register, ...]:
        """The registers of all countries; none if the project has no such seed. Raises ConfigError.

        They are read from the file and not from the warehouse, so that `check` knows them, too.
        """
        if not self.players["registers"]:
            if copies := [name for name, entry in self.lists.items() if entry.register_id]:
                what = f"no seed has the role registers, and the list {copies[0]} is a copy of a register"
                raise ConfigError([Problem("seeds", "", what, "the seed `registers` of the dbt package")])
            return ()
        (unique_id,) = self.only("registers", self.players["registers"])
        seed = self.nodes[unique_id]
        if seed["resource_type"] != "seed":
            raise ConfigError([Problem(described_in(seed), "", "has the role registers, and is no seed", "a CSV file in seeds/")])
        found = read_registers(Path(seed["root_path"]) / seed["original_file_path"], seed["original_file_path"])
        known = sorted({register.id for register in found})
        unknown = [entry for entry in self.lists.values() if entry.register_id and entry.register_id not in known]
        if unknown:
            (suppressions,) = self.only("suppressions", self.players["suppressions"])
            key = f"models.{self.nodes[suppressions]['name']}.config.meta.direct_mail.lists.{unknown[0].name}.register"
            what = f"there is no register {unknown[0].register_id!r}"
            raise ConfigError([Problem(described_in(self.nodes[suppressions]), key, what, ", ".join(known))])
        return found

    def vouchers(self, extract: Mapping[str, Any]) -> Model | None:
        """The model with the voucher codes, if an extract reads it. Raises ConfigError if what it gives would not be recorded."""
        if not self.above(extract["unique_id"]) & set(self.players["vouchers"]):
            return None
        codes, history = self.player("vouchers"), self.player("contact_history")
        wanted: Mapping[str, Kind] = {VOUCHER: "text", VOUCHER_POOL: "text"}
        faults = [*column_faults(extract, wanted), *column_faults(self.nodes[history.id], {VOUCHER: "text"})]
        if faults:
            raise ConfigError(faults)
        return codes

    def address_services(self, extract: str) -> Model | None:
        """The model with the answers of address services, if an extract reads it. Raises ConfigError if it cannot be read."""
        return self.player("address_services") if self.above(extract) & set(self.players["address_services"]) else None

    def above(self, unique_id: str) -> set[str]:
        """A node, and all nodes and sources that it depends on."""
        found: set[str] = set()
        todo = [unique_id]
        while todo:
            if (node := todo.pop()) not in found:
                found.add(node)
                todo += self.nodes.get(node, {}).get("depends_on", {}).get("nodes", [])
        return found


def the_only_call(pattern: re.Pattern[str], node: Mapping[str, Any]) -> re.Match[str] | None:
    """The call that is all of a model's code, besides comments; None if there is something else."""
    return pattern.fullmatch(COMMENTS.sub("", node["raw_code"]).strip())


def named(arguments: str) -> str:
    """The model's name in the arguments of a `ref()`, after the package's name if there is one."""
    return arguments.rsplit(",", 1)[-1].strip().strip("'\"")


def unreadable(node: Mapping[str, Any]) -> Iterator[Problem]:
    """The error of a model that has no relation in the warehouse."""
    if node["config"]["materialized"] == "ephemeral":
        yield Problem(
            described_in(node), f"models.{node['name']}.config.materialized", "the runner cannot read it", "table, view"
        )
