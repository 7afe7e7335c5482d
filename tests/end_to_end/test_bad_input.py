"""Every fault of the input gives one clear message, the right exit code, and nothing under a final name."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from project import DONE, FAILED, FILE, WRONG, Project
from sshd import Sshd, make_key

EXPOSURE = "models/campaigns/spring_catalog/_spring_catalog__exposures.yml"
MODELS = "models/campaigns/spring_catalog/_spring_catalog__models.yml"
EXTRACT = "models/campaigns/spring_catalog/spring_catalog__extract.sql"


def assert_refused(project: Project, code: int, *texts: str, **given: str) -> str:
    """Run the campaign; what it prints. `given`: a slot, and variables of the environment."""
    done = project.run(**given)
    assert done.returncode == code, done.stdout + done.stderr
    for text in texts:
        assert text in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert project.delivered == []
    assert project.private_leftovers() == []
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, ["No files found", "source crm.profiles", "data/given.csv"]),
        ("", ["which is empty", "source crm.profiles"]),
        ("HEADER\n", ["the source has no rows"]),
        ("profile_id,city\n1,Boston\n", ['does not have a column named "created_at"', "it has the columns profile_id, city"]),
        (b"HEADER\n\xff\xfe\xfa,,,,,,,,,,,,,,,,,,,\n", ["This file is not utf-8 encoded"]),
        ('HEADER\n"1,unterminated\n', ["CSV Error on Line: 2", "unterminated quote"]),
        ("HEADER\nROW\nROW\n", ["unique_key_stg_profiles_profile_id failed: a profile_id is missing, or two profiles have it"]),
        ("HEADER\nROW\n,Ms,Canary,Person" + ",x" * 16 + "\n", ["unique_key_stg_profiles_profile_id failed: a profile_id is missing, or two profiles have it"]),
    ],
    ids=["missing", "zero bytes", "no rows", "no such column", "not utf-8", "unterminated", "a key twice", "no key"],
)  # fmt: skip
def test_profile_files(project: Project, content: str | bytes | None, told: list[str]) -> None:
    header = (project.path / "data/profiles.csv").read_text().splitlines()[0]
    row = "1,Ms,Canary,Person,,1 Main St,,Boston,MA,02134,US,en,,,false,2020-01-01,2020-01-01,2021-01-01,1,9.99"
    given = project.path / "data/given.csv"
    if isinstance(content, str):
        content = content.replace(",Ms,Canary,Person" + ",x" * 16, row.removeprefix("1"))
        given.write_text(content.replace("HEADER", header).replace("ROW", row))
    elif content is not None:
        given.write_bytes(content.replace(b"HEADER", header.encode()))
    assert_refused(project, FAILED, *told, DMAIL_PROFILES="data/given.csv")
    (run,) = project.status()
    assert run["state"] == "failed"
    assert "Canary" not in str(run)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("name: inbound", "nmae: inbound", [EXPOSURE, "file.nmae: unknown key; allowed: name, timestamp, sort_by, seeds, note", "file.name: is required"]),
        ("status: active", "status: activ", ["direct_mail.status: unknown value; allowed: 'draft', 'active' or 'stopped'"]),
        ("provider: acme_print", "provider: acme", ["profiles/providers.yml: acme: there is no such provider; there are: acme_print"]),
        ("postal_code]", "postcode]", ["file.sort_by: the extract has no column 'postcode'; allowed: profile_id,"]),
        ("name: inbound/", "name: ../inbound/", ["file.name: must stay below the route's folder"]),
        ("name: inbound/", "name: /inbound/", ["file.name: must stay below the route's folder"]),
        ('"0 6 * * mon"', '"0 6 * *"', ["schedule.cron: is not a cron expression"]),
        ("America/New_York", "America/NewYork", ["schedule.timezone: is not a time zone"]),
        ("ref('spring_catalog__extract')", "ref('spring_catalog__extrakt')", ["spring_catalog__extrakt", "not found"]),
        ("ref('spring_catalog__extract')", "ref('stg_suppressions')", ["the extract must be a table"]),
    ],
)  # fmt: skip
def test_exposures(project: Project, old: str, new: str, told: list[str]) -> None:
    project.edit(EXPOSURE, old, new)
    assert_refused(project, WRONG, *told)
    assert project.call("check").returncode == WRONG


def test_an_extract_without_its_key(project: Project) -> None:
    text = (project.path / MODELS).read_text()
    start, end = text.index("      - name: profile_id\n"), text.index("      - name: full_name")
    (project.path / MODELS).write_text(text[:start] + text[end:])
    assert_refused(project, WRONG, MODELS, "models.spring_catalog__extract.columns: has no profile_id")


def test_an_extract_without_a_contract(project: Project) -> None:
    project.edit(MODELS, "contract: {enforced: true}", "contract: {enforced: false}")
    told = "config.contract: must be enforced: the "
    assert_refused(project, WRONG, f"{told}contract is the file's layout", f"{told}runner reads the model's columns")


def test_two_columns_with_one_label(project: Project) -> None:
    project.edit(MODELS, "label: Country Code", "label: Country")
    assert_refused(project, WRONG, "two columns have the label 'Country'")


def test_a_route_that_is_not_there(project: Project) -> None:
    project.edit("profiles/providers.yml", "route: outbox", "route: outbocks")
    assert_refused(project, WRONG, "profiles/routes.yml: outbocks: there is no such route; did you mean outbox?")


def test_an_environment_variable_that_is_not_set(project: Project) -> None:
    project.edit("profiles/providers.yml", "route: outbox", "route: acme_sftp")
    assert_refused(project, WRONG, "profiles/routes.yml: acme_sftp.host: the environment variable ACME_SFTP_HOST is not set")


def test_a_route_of_unknown_type_or_with_unknown_keys(project: Project) -> None:
    project.add_route(type="ftp", path="x")
    assert_refused(
        project, WRONG, "profiles/routes.yml: test.type: unknown type; allowed: 'folder', 'sftp', 's3', 'azure', 'gcs'"
    )
    project.edit("profiles/routes.yml", "type: ftp", "type: folder\n  mood: '0644'")
    assert_refused(project, WRONG, "profiles/routes.yml: test.mood: unknown key; allowed: status, require_approval, encryption, ")


def test_secrets_are_never_told(project: Project) -> None:
    project.add_route(
        type="sftp", host="h", user="u", password="{{ env_var('CANARY') }}", port="{{ env_var('CANARY') }}", host_key="x"
    )
    told = assert_refused(project, WRONG, "test.port", "test.host_key.0: must be an OpenSSH fingerprint", CANARY="s3cret-canary")
    found = [p for p in project.path.rglob("*") if p.is_file() and b"s3cret-canary" in p.read_bytes()]
    assert "s3cret-canary" not in told
    assert found == []


def test_a_campaign_that_is_not_there(project: Project) -> None:
    done = project.call("run", "sprang_catalog")
    assert done.returncode == WRONG
    assert "there is no campaign 'sprang_catalog'; did you mean spring_catalog?" in done.stderr


@pytest.mark.parametrize("slot", ["tomorrow", "2026-11-02T11:00", "2026-11-02T11:00:30Z"])
def test_slots_that_are_none(project: Project, slot: str) -> None:
    done = project.call("run", "spring_catalog", "--slot", slot)
    assert done.returncode == WRONG
    assert repr(slot) in done.stderr


def test_a_folder_that_is_no_project(tmp_path: Path) -> None:
    done = Project(tmp_path).call("list")
    assert done.returncode == WRONG
    assert "has no dbt_project.yml" in done.stderr


def test_a_server_with_another_host_key(project: Project, sshd: Sshd, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    project.add_route(type="sftp", host="127.0.0.1", port=sshd.port, user=sshd.user, private_key=str(sshd.key), host_key=other)
    done = project.run()
    assert done.returncode == FAILED
    assert f"host key is {sshd.fingerprint}, but {other} is pinned: nothing was sent" in done.stderr
    assert "Accepted" not in sshd.log.read_text(), "it logged in to a server that it does not know"
    assert list(sshd.root.iterdir()) == []


def test_a_row_that_cannot_be_cast_is_not_told(project: Project) -> None:
    project.edit("models/campaigns/spring_catalog/spring_catalog__audience.sql", "where", "where cast(last_name as int) > 0 and")
    project.edit(MODELS, "targets_lapsed_buyers\n", "targets_lapsed_buyers\n    config: {enabled: false}\n")
    told = assert_refused(project, FAILED, "Conversion Error", "(a value)", "spring_catalog__recipients")
    names = {"García", "Kowalski", "Tanaka", "Haddad"}
    assert not any(name in told for name in names)
    texts = [p for p in project.path.rglob("*") if p.is_file() and p.suffix in (".log", ".json", ".sqlite")]
    assert not [p for p in texts for name in names if name.encode() in p.read_bytes()]


def test_a_failing_data_test_ships_nothing(settled: Project) -> None:
    """Though the warehouse has the tables of the slot before."""
    (settled.path / "outbox" / FILE).unlink()
    (settled.path / "tests/dbt/singular").mkdir()
    (settled.path / "tests/dbt/singular/extract_is_suspicious.sql").write_text(
        "select 1 as offence from {{ ref('spring_catalog__extract') }} limit 1"
    )
    assert_refused(settled, FAILED, "test extract_is_suspicious failed", slot="2026-12-14T11:00Z")


def test_an_extract_that_forgets_the_verdicts(project: Project) -> None:
    project.edit("macros/audience/pieces.sql", "where exclusion_reason is null", "where true")
    project.edit(
        MODELS, "prints_included_recipients_and_seeds\n", "prints_included_recipients_and_seeds\n    config: {enabled: false}\n"
    )
    assert_refused(project, FAILED, "rows of profiles that are not included recipients")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_route_whose_disk_is_full(project: Project, small_disk: Path) -> None:
    project.add_route(type="folder", path=str(small_disk))
    done = project.run()
    assert done.returncode == FAILED
    assert "No space left on device" in done.stderr
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []
    assert project.status()[0]["state"] == "failed"
    project.edit("profiles/routes.yml", str(small_disk), "outbox")
    assert project.run().returncode == DONE
    assert project.delivered == [FILE]


def test_a_spool_whose_disk_is_full(project: Project, small_disk: Path) -> None:
    spool = project.path / ".dmail/spool"
    subprocess.run(["mount", "--bind", str(small_disk), str(spool)], check=True)
    try:
        done = project.run()
    finally:
        subprocess.run(["umount", "--lazy", str(spool)], check=True)
    assert done.returncode == FAILED
    assert "No space left on device" in done.stderr
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []
    assert project.delivered == []


def test_a_state_directory_that_cannot_be_made(project: Project) -> None:
    done = project.call("status", DMAIL_STATE_DIR="/proc/nowhere")
    assert done.returncode == WRONG
    assert "the state directory /proc/nowhere cannot be used" in done.stderr


def test_a_damaged_cache_is_made_again(project: Project) -> None:
    for name in ("manifest.json", "partial_parse.msgpack"):
        (project.path / ".dmail" / name).write_text("{}")
    assert project.run().returncode == DONE


def test_a_damaged_ledger_ships_nothing(project: Project) -> None:
    (project.path / ".dmail/ledger.sqlite").write_text("garbage" * 1000)
    assert_refused_without_ledger(project, "ledger.sqlite cannot be used: file is not a database")


def test_a_damaged_warehouse_is_told(project: Project) -> None:
    (project.path / ".dmail/warehouse.duckdb").write_bytes(b"garbage" * 10000)
    assert_refused(project, FAILED, "not a valid DuckDB database", "the warehouse file is damaged: delete it and run again")


def test_a_warehouse_that_another_program_has_open(project: Project) -> None:
    code = "import duckdb, sys; c = duckdb.connect('.dmail/warehouse.duckdb'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], cwd=project.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        assert_refused(project, FAILED, f"(PID {other.pid})", "another program has the warehouse open")
        other.communicate()


def assert_refused_without_ledger(project: Project, text: str) -> None:
    done = project.run()
    assert done.returncode == FAILED
    assert text in done.stderr
    assert project.delivered == []


def test_variables_of_dbt_switch_nothing_off(project: Project) -> None:
    (project.path / "tests/dbt/singular").mkdir()
    (project.path / "tests/dbt/singular/extract_is_suspicious.sql").write_text(
        "select 1 as offence from {{ ref('spring_catalog__extract') }} limit 1"
    )
    hostile = {"DBT_INDIRECT_SELECTION": "empty", "DBT_EXCLUDE_RESOURCE_TYPES": "test", "DBT_TARGET": "other"}
    assert_refused(project, FAILED, "test extract_is_suspicious failed", **hostile)


def test_the_state_directory_is_a_folder_of_its_own(project: Project) -> None:
    assert project.call("status", DMAIL_STATE_DIR=".").returncode == WRONG


def test_an_empty_slot_is_not_the_latest(project: Project) -> None:
    assert project.call("run", "spring_catalog", "--slot", "").returncode == WRONG
    assert project.delivered == []


def rewrite(project: Project, replacement: str) -> None:
    """Replace the profiles by a query over them."""
    file = project.path / "data/profiles.csv"
    with duckdb.connect() as connection:
        connection.execute(f"create table profiles as select * from read_csv('{file}', all_varchar = true)")
        connection.execute(f"copy (select * replace ({replacement}) from profiles) to '{file}'")


def test_dates_in_another_format_empty_no_campaign(project: Project) -> None:
    rewrite(project, "strftime(last_order_at::timestamp, '%d.%m.%Y') as last_order_at")
    assert_refused(project, FAILED, "dates or numbers cannot be read")


def test_an_answer_that_nobody_understands_is_no_consent(project: Project) -> None:
    rewrite(
        project,
        "case when profile_id::int % 2 = 0 then 'nein' when profile_id::int % 3 = 0 then '-' else 'y' end as postal_mail_consent",
    )
    assert project.run().returncode == DONE
    (run,) = project.status()
    assert run["excluded"]["consent"] > run["included"]


def test_a_row_with_too_few_fields_is_told_by_its_line(project: Project) -> None:
    file = project.path / "data/profiles.csv"
    lines = file.read_text().splitlines()
    lines[3] = "Canary,only"
    file.write_text("\n".join(lines) + "\n")
    assert_refused(project, FAILED, "CSV Error on Line: 4", "Expected Number of Columns: 20 Found: 2")
    assert "Canary" not in str(project.status())


def test_a_glob_in_which_one_file_lacks_a_column(project: Project) -> None:
    folder = project.path / "data/many"
    folder.mkdir()
    (project.path / "data/profiles.csv").rename(folder / "a.csv")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * exclude (postal_mail_consent) from read_csv('{folder}/a.csv', all_varchar = true)) to '{folder}/b.csv'"
        )
    assert_refused(project, FAILED, "source crm.profiles", DMAIL_PROFILES="data/many/*.csv")


def test_sample_data_replaces_no_real_profiles(project: Project) -> None:
    before = (project.path / "data/profiles.csv").read_bytes()
    refused = project.call("sample-data", "--rows", "5")
    assert refused.returncode == WRONG
    assert "exists, and may contain real data" in refused.stderr
    assert (project.path / "data/profiles.csv").read_bytes() == before


def test_a_route_into_the_project_itself(project: Project) -> None:
    project.edit("profiles/routes.yml", "path: outbox", 'path: ""')
    assert_refused(project, WRONG, "outbox.path: must be a folder of its own")


def test_an_empty_setting_is_none(project: Project) -> None:
    assert project.run(DMAIL_PROFILES="", DMAIL_WAREHOUSE="", DMAIL_TEMP="", DMAIL_LEDGER="").returncode == DONE
    assert project.delivered == [FILE]


def test_a_spill_folder_where_duckdb_would_refuse_it(project: Project) -> None:
    project.edit("profiles/profiles.yml", "TimeZone: UTC", "TimeZone: UTC\n        temp_directory: tmp")
    done = project.call("check")
    assert done.returncode == WRONG
    assert "profiles/profiles.yml: dmail.outputs.duckdb.settings.temp_directory: must be under config_options" in done.stderr
