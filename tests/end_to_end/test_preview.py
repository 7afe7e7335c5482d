"""What a person looks at before anything leaves: preview, proof, diff, and what `check` says."""

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest
from pypdf import PdfReader

from people import commit
from project import DONE, FAILED, FILE, HELD, SLOT, WRONG, Project
from shared import made_once

CAMPAIGN = "models/campaigns/spring_catalog/"
EXPOSURE = CAMPAIGN + "_spring_catalog__exposures.yml"
NEXT = "2026-11-09T11:00Z"


@pytest.fixture(scope="session")
def uncapped(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one settled run, no frequency cap, and a test profile that no campaign would target."""
    return made_once(
        tmp_path_factory, "uncapped", lambda folder: mail_uncapped(Project(shutil.copytree(base, folder, dirs_exist_ok=True)))
    )


def mail_uncapped(project: Project) -> None:
    project.edit(CAMPAIGN + "spring_catalog__recipients.sql", 'dmail.frequency_cap(pieces=1, days=30, unit="household"),', "")
    change(project, "update p set is_test_profile = 'true', orders_count = '0' where profile_id = '0000000003'")
    assert project.run().returncode == DONE


@pytest.fixture
def project(uncapped: Path, tmp_path: Path) -> Project:
    return Project(Path(shutil.copytree(uncapped, tmp_path / "project")))


def change(project: Project, *statements: str) -> None:
    """Change the profiles."""
    file = project.path / "data/profiles.csv"
    with duckdb.connect() as connection:
        connection.execute(f"create table p as select * from read_csv('{file}', all_varchar = true)")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"copy (select * from p order by profile_id) to '{file}' (header true)")


def people(text: str) -> list[str]:
    return [row["Customer ID"] for row in csv.DictReader(text.splitlines())]


def test_a_preview_is_the_beginning_of_the_file(project: Project) -> None:
    before = project.status()
    shown = project.call("preview", "spring_catalog", "--slot", SLOT, "--rows", "5", "--bytes")
    assert shown.returncode == DONE, shown.stderr
    file = (project.path / "outbox" / FILE).read_bytes().decode()
    assert shown.stdout == "".join(line + "\n" for line in file.split("\n")[:6]).replace("\r\n", "\n"), "five rows and the header"
    assert project.status() == before
    assert project.delivered == [FILE]
    assert project.private_leftovers() == []


def test_a_preview_of_some_people_says_who_is_out(project: Project) -> None:
    inside = people((project.path / "outbox" / FILE).read_text())[0]
    change(project, "update p set postal_mail_consent = 'n' where profile_id = '0000000042'")
    shown = project.call(
        "preview", "spring_catalog", "--profile", inside, "--profile", "0000000042", "--profile", "nobody", "--slot", SLOT
    )
    assert shown.returncode == DONE, shown.stderr
    assert f"  Customer ID   {inside}" in shown.stdout.splitlines()
    assert "row 2" not in shown.stdout
    assert "preview: nothing was delivered or recorded" in shown.stdout
    assert "nobody is not in the file: not targeted" in shown.stderr
    assert (
        "0000000042 is not in the file: consent" in shown.stderr or "0000000042 is not in the file: not targeted" in shown.stderr
    )


def test_test_profiles_are_printed_whatever_the_rules_say(project: Project) -> None:
    shown = project.call("preview", "spring_catalog", "--test-profiles", "--bytes", "--rows", "10000")
    assert shown.returncode == DONE, shown.stderr
    with (project.path / "data/profiles.csv").open() as file:
        expected = {row["profile_id"] for row in csv.DictReader(file) if row["is_test_profile"] == "true"}
    assert "0000000003" in expected, "no campaign would target it"
    assert set(people(shown.stdout)) == {*expected, "seed-001", "seed-002", "seed-003"}


def test_a_proof_is_marked_and_recorded_and_mails_nobody(project: Project) -> None:
    before = project.status()
    proof = project.call("proof", "spring_catalog", "--slot", SLOT)
    assert proof.returncode == DONE, proof.stderr
    (name,) = set(project.delivered) - {FILE}
    assert name.startswith(f"{FILE.removesuffix('.csv')}_TEST_")
    assert name.endswith(".csv")
    assert "seed-001" in people((project.path / "outbox" / name).read_text())
    pdf = project.path / "proof.pdf"
    pages = project.call("proof", "spring_catalog", "--slot", SLOT, "--pdf", str(pdf), "--envelope", "us10")
    assert pages.returncode == DONE, pages.stderr
    text = [page.extract_text() for page in PdfReader(pdf).pages]
    assert any("seed address" in page and "seed-001" in page for page in text)
    assert any("longest name" in page for page in text)
    assert set(project.delivered) - {FILE} == {name}, "and it delivers nothing"
    assert project.status() == before, "a proof is no run"
    assert len(list((project.path / ".dmail/contact_history").rglob("*.parquet"))) == 1, "and no contact"
    assert project.private_leftovers() == []


def test_without_test_profiles_and_seeds_there_is_no_proof(project: Project) -> None:
    change(project, "update p set is_test_profile = 'false'")
    project.edit(CAMPAIGN + "spring_catalog__extract.sql", 'seeds=ref("int_seed_addresses"),', "")
    assert project.call("run", "spring_catalog", "--slot", SLOT, "--dry-run").returncode == 0
    proof = project.call("proof", "spring_catalog", "--slot", SLOT)
    assert proof.returncode == 1
    assert "has no test profile and no seed to print" in proof.stderr
    assert project.delivered == [FILE]


def test_a_diff_says_who_comes_and_who_goes_and_why(project: Project) -> None:
    one, two, three = people((project.path / "outbox" / FILE).read_text())[:3]
    change(
        project,
        f"update p set postal_mail_consent = 'n' where profile_id = '{one}'",
        f"update p set first_name = 'Zacharias' where profile_id = '{two}'",
        f"insert into p select * replace ('9999999999' as profile_id, 'Somebody' as last_name, '1 New St' as address_line1) from p where profile_id = '{two}'",
        f"delete from p where profile_id = '{three}'",
    )
    found = project.call("diff", "spring_catalog", "--slot", NEXT, "--json", "--rows", "9999")
    assert found.returncode == DONE, found.stderr
    difference = json.loads(found.stdout)
    gone = {person["profile_id"]: person["reason"] for person in difference["people"] if person["what"] == "removed"}
    assert gone[one] == "consent"
    assert gone[three] == "not_targeted"
    assert {"profile_id": "9999999999", "what": "added", "reason": None} in difference["people"]
    assert {"profile_id": two, "what": "changed", "reason": None} in difference["people"]
    assert difference["changed"] == 1
    assert difference["last_included"] == difference["unchanged"] + difference["changed"] + sum(difference["removed"].values())
    assert len(project.status()) == 1, "a diff is no run"
    told = project.call("diff", "spring_catalog", "--slot", NEXT).stdout
    assert f"  removed               {sum(difference['removed'].values()):>10,}" in told
    assert one not in told, "people are named when they are asked for"


def test_a_churn_beyond_the_usual_waits_for_a_person(project: Project) -> None:
    project.edit(EXPOSURE, "provider: acme_print", "guard: {max_change: 50%, max_churn: 20%}\n          provider: acme_print")
    change(project, "update p set profile_id = '8' || substr(profile_id, 2) where cast(profile_id as int) % 3 = 0")
    held = project.run(NEXT)
    assert held.returncode == HELD, held.stderr
    assert "people came since the last run's" in held.stderr
    assert "more than max_churn, 20%" in held.stderr
    shutil.rmtree(project.path / ".dmail/contact_history")
    assert project.run(NEXT).returncode == FAILED
    assert project.call("audit", "reconcile", "--reason", "the disk is lost").returncode == DONE
    unknown = project.run(NEXT)
    assert unknown.returncode == HELD
    assert "max_churn cannot be checked: the contact history of the last run is missing" in unknown.stderr


def test_a_first_file_has_nothing_to_differ_from(project: Project) -> None:
    found = project.call("diff", "spring_catalog", "--slot", SLOT)
    assert found.returncode == WRONG
    assert "has no delivered run before this slot" in found.stderr


def test_check_tells_all_faults_and_warnings_at_once(project: Project) -> None:
    project.edit(EXPOSURE, "timezone: America/New_York}", "timezone: America/New_York, start: 2020-01-01, end: 2020-02-01}")
    project.edit(CAMPAIGN + "_spring_catalog__models.yml", "{label: City}", "{}")
    project.edit("models/campaigns/loyalty_offer/_loyalty_offer__exposures.yml", "status: active", "status: draft")
    project.add_route(type="sftp", host="h", user="u", password="p", host_key="SHA256:" + "x" * 43, allow_old=["hmac-sha1"])
    found = project.call("check")
    assert found.returncode == DONE, found.stderr
    for told in (
        "direct_mail.schedule: has ended: its last slot is in the past",
        "columns.city.config.meta.label: is missing: the column's header in the file is city",
        "direct_mail.status: is draft: ",
        "profiles/routes.yml: test.encryption: is missing: the server stores personal data unencrypted",
        "profiles/routes.yml: test.allow_old: allows hmac-sha1, which can be broken",
        "profiles/routes.yml: test: has not been used yet: `dmail-runner route test test` tests it",
    ):
        assert told in found.stdout
    welcome = "models/campaigns/welcome_letter/_welcome_letter__exposures.yml"
    project.edit(welcome, "cron:", "kron:")
    project.edit(welcome, "file: {", "file: {sort_by: [elsewhere], ")
    project.edit(
        "models/campaigns/renewal_notice/_renewal_notice__exposures.yml", "provider:", "postal_class: bulk\n          provider:"
    )
    faulty = project.call("check", "--json")
    assert faulty.returncode == WRONG
    levels = [problem["level"] for problem in json.loads(faulty.stdout)["problems"]]
    assert levels.count("error") == 3, "a misspelt key, a column that the extract lacks, a class that the provider does not have"
    assert levels.count("warning") >= 4


def test_check_can_look_at_every_row(project: Project) -> None:
    assert project.call("check", "spring_catalog", "--build").returncode == DONE
    project.edit("profiles/providers.yml", "label: Acme Print", "label: Acme Print\n  columns: {Full Name: {max_length: 5}}")
    found = project.call("check", "spring_catalog", "--build")
    assert found.returncode == 1
    assert "are longer than 5 characters (max_length)" in found.stderr
    assert len(project.status()) == 1


def test_too_few_pieces_for_the_postal_class_wait_for_a_person(project: Project) -> None:
    project.edit(
        "profiles/providers.yml",
        "label: Acme Print",
        "label: Acme Print\n  tariff: {currency: USD, per_piece: 0.5}\n  postal_classes: {standard: {min_pieces: 5000}, first: {min_pieces: 1}}",
    )
    missing = project.call("check", "spring_catalog")
    assert "postal_class: is required by acme_print; allowed: standard, first" in missing.stderr
    project.edit(EXPOSURE, "provider: acme_print", "postal_class: standard\n          provider: acme_print")
    assert "a thousand pieces cost about 500.00 USD" in project.call("check", "spring_catalog").stdout
    held = project.run(NEXT)
    assert held.returncode == HELD
    assert "pieces are too few for standard, which needs 5,000" in held.stderr


def test_the_review_of_a_branch_has_the_campaigns_that_differ_and_no_person(project: Project) -> None:
    commit(project.path, "ann")
    subprocess.run(["git", "-C", project.path, "branch", "before"], check=True)
    project.edit(CAMPAIGN + "spring_catalog__recipients.sql", "percent=5", "percent=50")
    reviewed = project.call("preview", "--changed", "--base", "before", "--markdown")
    assert reviewed.returncode == DONE, reviewed.stderr
    assert "## 1 of 4 campaigns differs from before" in reviewed.stdout
    assert "### `spring_catalog`: changed" in reviewed.stdout
    assert "  models      changed: dmail.spring_catalog__recipients" in reviewed.stdout
    rows = dict(re.findall(r"^\| ([\w*: ]+) \| ([\d,*]+) \| [\d,]+ \|$", reviewed.stdout, re.MULTILINE))
    assert int(rows["excluded: holdout"]) > int(rows["excluded: consent"])
    assert not re.search(r"\b0{5}\d{5}\b", reviewed.stdout)
    assert len(project.status()) == 1

    wrong = project.call("preview", "--changed", "--base", "nowhere")
    assert (wrong.returncode, "git cannot read 'nowhere'" in wrong.stderr) == (WRONG, True)
    both = project.call("preview", "spring_catalog", "--changed")
    assert (both.returncode, "either a campaign or --changed" in both.stderr) == (WRONG, True)
