"""Write all files of the reference. With `--check`, only list the files that are out of date."""

import json
import sys
from pathlib import Path

from dmail_runner.declare.budget import Budget
from dmail_runner.declare.campaign import ColumnMeta, DirectMail
from dmail_runner.declare.inbound import Inbound, Layout
from dmail_runner.declare.notices import Notices
from dmail_runner.declare.policy import Policy
from dmail_runner.declare.provider import Provider, SharedContract
from dmail_runner.declare.role import ModelMeta
from dmail_runner.declare.route import Route
from dmail_runner.declare.source import SourceMeta
from scripts.reference.badges import badge_files
from scripts.reference.commands import commands_page
from scripts.reference.keys import keys_page
from scripts.reference.locales import locales_macro
from scripts.reference.macros import macro_files, macros_page
from scripts.reference.schemas import campaign_schema, entries_schema, file_schema

ROOT = Path(__file__).parents[2]
ABOUT = {
    "campaign": "`config.meta.direct_mail` of a campaign's exposure, a model with a role, or a source; a column's `config.meta`.",
    "providers": "One entry for each mail house, and files of profiles/contracts. More: [providers.md](../providers.md).",
    "routes": "One entry for each server or folder. More: [routes.md](../routes.md).",
    "notices": "The people who are notified of events. More: [operations.md](../operations.md#notices).",
    "inbound": "One entry for each kind of file that comes back, and files of profiles/inbound_layouts. "
    "More: [inbound.md](../howto/inbound.md).",
    "programmes": "One entry for each programme: a budget that several campaigns share. More: [budgets.md](../howto/budgets.md).",
    "policy": "The project's requirements for all campaigns. More: [operations.md](../operations.md#approval).",
}


def files() -> dict[str, str]:
    """All files with their contents."""
    schemas = {
        "campaign": campaign_schema(),
        "providers": entries_schema(Provider, "profiles/providers.yml: the requirements of each mail house."),
        "contract": file_schema(SharedContract, "A file of profiles/contracts: what a mail house accepts."),
        "routes": entries_schema(Route, "profiles/routes.yml: servers, and how to deliver to them."),
        "notices": file_schema(Notices, "profiles/notices.yml: the people who are notified of events."),
        "inbound": entries_schema(Inbound, "profiles/inbound.yml: the files that providers send back."),
        "inbound_layout": file_schema(Layout, "A file of profiles/inbound_layouts: what a kind of file looks like."),
        "programmes": entries_schema(Budget, "profiles/programmes.yml: budgets that several campaigns share."),
        "policy": file_schema(Policy, "profiles/policy.yml: the people who must approve campaigns."),
    }
    keys = {
        "campaign": keys_page(
            "A campaign's keys", ABOUT["campaign"], "campaign", [DirectMail, ModelMeta, ColumnMeta, SourceMeta]
        ),
        "providers": keys_page("Keys of profiles/providers.yml", ABOUT["providers"], "providers", [Provider, SharedContract]),
        "routes": keys_page("Keys of profiles/routes.yml", ABOUT["routes"], "routes", [Route]),
        "notices": keys_page("Keys of profiles/notices.yml", ABOUT["notices"], "notices", [Notices]),
        "inbound": keys_page("Keys of profiles/inbound.yml", ABOUT["inbound"], "inbound", [Inbound, Layout]),
        "programmes": keys_page("Keys of profiles/programmes.yml", ABOUT["programmes"], "programmes", [Budget]),
        "policy": keys_page("Keys of profiles/policy.yml", ABOUT["policy"], "policy", [Policy]),
    }
    pages = {**keys, "commands": commands_page(), "macros": macros_page(ROOT)}
    return {
        **{f"docs/schema/{name}.schema.json": json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()},
        **{f"docs/reference/{name}.md": text for name, text in pages.items()},
        **macro_files(ROOT),
        **badge_files(ROOT),
        "macros/format/locales.sql": locales_macro(ROOT / "macros/format/locales.csv"),
    }


def stale() -> list[str]:
    """The files that are out of date."""
    return [name for name, text in files().items() if not (ROOT / name).is_file() or (ROOT / name).read_text("utf-8") != text]


def main() -> None:
    if "--check" in sys.argv:
        sys.exit(f"make docs would change {', '.join(found)}" if (found := stale()) else None)
    for name, text in files().items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
