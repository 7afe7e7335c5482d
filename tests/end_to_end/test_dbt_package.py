"""A dbt project of somebody else, with its own names, that has this one as a package, as docs/howto/dbt-package.md says."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from project import DONE, HELD, ROOT, WRONG, Project
from shared import made_once

PAGE = (ROOT / "docs/howto/dbt-package.md").read_text()
# What the page leaves to its reader: the customers, the campaign's extract, and where dbt builds.
FILES = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nflags: {send_anonymous_usage_stats: false}\n"
    "vars: {home_country: US, dmail_suppressions: stg_shop__opt_outs}\nmodels: {shop: {campaigns: {+materialized: table}}}\n",
    "profiles/profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}\n",
    "profiles/providers.yml": "mail_house: {label: Mail House, route: outbox}\n",
    "profiles/routes.yml": "outbox: {type: folder, path: outbox}\n",
    "seeds/dim_customers.csv": "customer_id,name_given,name_family,street,town,state,zip,mail_ok,staff\n"
    + "".join(f"C{n},Ann{n},Lee{n},{n} Church Rd,Boston,MA,02108,{'no' if n == 7 else 'yes'},no\n" for n in range(1, 41))
    + "C90,Test,Person,1 Elm St,Boston,MA,02108,yes,yes\nC91,Bob,Far,2 Elm St,Austin,TX,73301,yes,no\n",
    "seeds/raw_opt_outs.csv": "customer,requested_on\nC8,2026-01-02\n",
    "seeds/_seeds.yml": "seeds:\n  - name: dim_customers\n    config: {column_types: {customer_id: varchar, zip: varchar}}\n"
    "  - name: raw_opt_outs\n    config: {column_types: {customer: varchar}}\n",
    "models/campaigns/win_back/win_back__extract.sql": "select profile_id, first_name || ' ' || last_name as name, address_line1, city,"
    ' postal_code\nfrom {{ ref("win_back__audience") }}\njoin {{ ref("win_back__recipients") }} using (profile_id)\n'
    "where exclusion_reason is null\n",
    "models/campaigns/win_back/_win_back.yml": """
models:
  - name: win_back__recipients
    config: {contract: {enforced: true}}
    columns:
      - {name: profile_id, data_type: string}
      - {name: household_key, data_type: string}
      - {name: exclusion_reason, data_type: string}
  - name: win_back__audience
    config: {materialized: view}
  - name: win_back__extract
    config: {contract: {enforced: true}}
    columns:
      - {name: profile_id, data_type: string}
      - {name: name, data_type: string}
      - {name: address_line1, data_type: string}
      - {name: city, data_type: string}
      - {name: postal_code, data_type: string}
exposures:
  - name: win_back
    type: application
    owner: {name: CRM, email: crm@example.com}
    depends_on: [ref('win_back__extract')]
    config:
      meta:
        direct_mail: {status: active, provider: mail_house, file: {name: win_back.csv}}
""",
}
SLOT = "2026-11-02T11:00Z"
RECIPIENTS = "models/campaigns/win_back/win_back__recipients.sql"


def shown() -> Iterator[tuple[str, str]]:
    """The SQL files and the YAML of models that the page shows, by path."""
    for language, text in re.findall(r"```(sql|yaml)\n(.*?)```", PAGE, flags=re.DOTALL):
        if language == "sql" and text.startswith("-- "):
            path, _, content = text.removeprefix("-- ").partition("\n")
            yield path.strip(), content
        elif text.startswith("models:"):
            name = re.findall(r"- name: (\w+)", text)[0]
            yield f"models/mailing/_{name}.yml", text


@pytest.fixture(scope="session")
def begun(warm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, with this checkout installed as `dbt deps` installs a local package: by a symbolic link. dbt has parsed it."""
    Project.warm = warm
    return made_once(tmp_path_factory, "shop", begin)


def begin(folder: Path) -> None:
    for path, text in {**FILES, **dict(shown())}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "packages.yml").write_text(f"packages: [{{local: {ROOT}}}]\n")
    (folder / "dbt_packages").mkdir()
    (folder / "dbt_packages/dmail").symlink_to(ROOT)
    listed = Project(folder).call("list")
    assert listed.returncode == DONE, listed.stderr


@pytest.fixture
def shop(begun: Path, tmp_path: Path) -> Project:
    return Project(Path(shutil.copytree(begun, tmp_path / "shop", symlinks=True)))


def test_another_project_lists_checks_explains_proofs_and_mails(shop: Project) -> None:
    listed = shop.call("list")
    assert listed.returncode == DONE, listed.stderr
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["campaign", "win_back"], "a sample campaign shows up"
    checked = shop.call("check")
    assert checked.returncode == DONE, checked.stderr

    done = shop.call("run", "win_back", "--slot", SLOT)
    assert done.returncode == DONE, done.stderr
    (file,) = shop.delivered
    lines = (shop.path / "outbox" / file).read_text().splitlines()
    assert len(lines) == 1 + 40 - 2, "C7 said no, and C8 opted out"
    assert not any("Ann7 " in line or "Ann8 " in line or "Austin" in line for line in lines)

    explained = shop.call("explain", "win_back", "C8", "--slot", SLOT)
    assert "excluded: suppressed" in explained.stdout, explained.stderr
    proof = shop.call("proof", "win_back", "--slot", SLOT)
    assert proof.returncode == DONE, proof.stderr
    assert "1 row," in proof.stdout


def test_a_new_campaign_fits_the_columns_of_the_profiles(shop: Project) -> None:
    """These profiles have no orders. A draft that selects by them would fail at its first build only."""
    written = shop.call("new", "autumn")
    assert written.returncode == DONE, written.stderr
    shop.edit("models/campaigns/autumn/autumn__recipients.sql", '["do_not_mail", "deceased", "returned"]', '["do_not_mail"]')
    tried = shop.call("run", "autumn", "--dry-run", "--slot", SLOT)
    assert tried.returncode == DONE, tried.stderr
    assert "39 rows" in tried.stdout, "Texas is in the audience, C7 said no, and C8 opted out"

    file = "models/mailing/_shop__mailable_customers.yml"
    shop.edit(file, "      - {name: city, data_type: string}\n", "")
    refused = shop.call("new", "winter")
    assert refused.returncode == WRONG
    assert f"{file}: models.shop__mailable_customers.columns: has no city, which a new campaign prints" in refused.stderr
    assert not (shop.path / "models/campaigns/winter").exists()


def test_a_change_of_the_package_is_a_change_of_the_project(shop: Project, tmp_path: Path) -> None:
    """The manifest is parsed again when a file behind the symbolic link changes."""
    package = tmp_path / "package"
    package.mkdir()
    shutil.copy(ROOT / "dbt_project.yml", package)
    for path in ("macros", "models", "seeds", "tests/dbt"):
        shutil.copytree(ROOT / path, package / path)
    link = shop.path / "dbt_packages/dmail"
    link.unlink()
    link.symlink_to(package)
    manifest = shop.path / ".dmail/manifest.json"
    assert shop.call("list").returncode == DONE
    before = manifest.stat().st_mtime_ns
    assert shop.call("list").returncode == DONE
    assert manifest.stat().st_mtime_ns == before
    (package / "macros/more.sql").write_text("{% macro more() %}{% endmacro %}\n")
    assert shop.call("list").returncode == DONE
    assert manifest.stat().st_mtime_ns != before


def test_nobody_who_said_no_is_mailed_whatever_the_models_are_called(shop: Project) -> None:
    """A campaign without `consent()`: the gate reads the model with the role, not one of a certain name."""
    shop.edit(RECIPIENTS, "dmail.consent(),", "")
    held = shop.call("run", "win_back", "--slot", SLOT)
    assert held.returncode == HELD
    assert "1 person in the file has said no" in held.stderr
    assert shop.delivered == []


@pytest.mark.parametrize("role", ["profiles", "suppressions", "suppressed_profiles"])
@pytest.mark.parametrize("change", ["no", "two"])
def test_a_role_that_no_model_or_two_models_have(shop: Project, role: str, change: str) -> None:
    """An error before anything is built."""
    names = {
        "profiles": "shop__mailable_customers",
        "suppressions": "stg_shop__opt_outs",
        "suppressed_profiles": "shop__suppressed_customers",
    }
    name = names[role]
    file = f"models/mailing/_{name}.yml"
    declared = f"meta: {{direct_mail: {{role: {role}}}}}"
    if change == "no":
        shop.edit(file, declared, "meta: {}")
    else:
        (shop.path / "models/mailing/other.sql").write_text(f'select * from {{{{ ref("{name}") }}}}\n')
        (shop.path / "models/mailing/_other.yml").write_text(f"models:\n  - name: other\n    config: {{{declared}}}\n")
    for command in (["check"], ["run", "win_back", "--slot", SLOT]):
        refused = shop.call(*command)
        assert refused.returncode == WRONG, command
        assert f"the role {role}" in refused.stderr
    assert not (shop.path / "shop.duckdb").exists()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            "{{ dmail.suppressed_profiles(ref('shop__mailable_customers')) }} where list_name <> 'x'",
            "is not suppressed_profiles() alone",
        ),
        ("select * from {{ ref('stg_shop__opt_outs') }}", "is not suppressed_profiles() alone"),
        ("{{ dmail.suppressed_profiles(ref('dim_customers')) }}", "does not read shop__mailable_customers"),
    ],
)
def test_suppressed_profiles_that_may_lack_somebody(shop: Project, query: str, told: str) -> None:
    (shop.path / "models/mailing/shop__suppressed_customers.sql").write_text(query)
    refused = shop.call("check")
    assert refused.returncode == WRONG
    assert told in refused.stderr


def test_a_wrong_mapping_names_the_column(shop: Project) -> None:
    shop.edit("models/mailing/shop__mailable_customers.sql", "customer_id as profile_id", "12 as profile_id")
    failed = shop.call("run", "win_back", "--slot", SLOT)
    assert failed.returncode not in (DONE, HELD)
    assert "profile_id" in failed.stderr
    with duckdb.connect(str(shop.path / "shop.duckdb"), read_only=True) as connection:
        built = {name for (name,) in connection.execute("select table_name from information_schema.tables").fetchall()}
    assert "win_back__extract" not in built
