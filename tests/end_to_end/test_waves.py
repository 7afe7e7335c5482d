"""Waves, windows and erased people, by the real models: everybody once, in the wave or the window that is theirs."""

import csv
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from project import DONE, FAILED, HELD, WRONG, Project
from wait import HANGS, until

EXPOSURE = "models/campaigns/{0}/_{0}__exposures.yml"
SCHEDULE = 'schedule: {cron: "0 6 * * mon", timezone: America/New_York}'
DAILY = 'schedule: {cron: "0 7 * * *", timezone: America/New_York}'
MODELS = "models/campaigns/spring_catalog/_spring_catalog__models.yml"
HOUSEHOLDS = 'dmail.frequency_cap(pieces=1, days=30, unit="household"),'


def alone(project: Project, campaign: str) -> None:
    """Stop every other campaign."""
    for name in ("loyalty_offer", "renewal_notice", "spring_catalog", "welcome_letter"):
        if name != campaign:
            project.edit(EXPOSURE.format(name), "status: active", "status: stopped")


def ask(project: Project, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        connection.execute(f"set file_search_path = '{project.path}/.dmail/contact_history'")
        return connection.execute(query).fetchall()


Rows = list[dict[str, str]]


def edit_rows(project: Project, file: str, change: Callable[[Rows], Rows]) -> None:
    """Rewrite a CSV file of the project; `change` is given its rows and returns the new ones."""
    path = project.path / file
    with path.open(newline="") as source:
        rows = list(csv.DictReader(source))
    changed = change(rows)
    with path.open("w", newline="") as target:
        writer = csv.DictWriter(target, rows[0].keys())
        writer.writeheader()
        writer.writerows(changed)


def in_waves(project: Project) -> None:
    """Make spring_catalog a mailing of three waves, a day apart."""
    alone(project, "spring_catalog")
    waves = "waves: {apart: 0h, sizes: [{share: 30%}, {share: 30%, after: 1d}, {after: 2d}]}"
    project.edit(EXPOSURE.format("spring_catalog"), SCHEDULE, f'schedule: {{at: ["2026-11-02T06:00"]}}\n          {waves}')
    refused = project.call("check", "spring_catalog")
    assert refused.returncode == WRONG
    assert "models.spring_catalog__recipients.columns: has no wave_number, which the runner reads" in refused.stderr
    verdict = "      - {name: exclusion_reason, data_type: string"
    project.edit(MODELS, verdict, f"      - {{name: wave_number, data_type: integer}}\n{verdict}")


def people_by_wave(project: Project, run: str) -> dict[int, set[str]]:
    """The profiles that the first wave's run has put into each wave."""
    people: dict[int, set[str]] = {1: set(), 2: set(), 3: set()}
    for person, wave in ask(project, f"select profile_id, wave_number from '{run}/audience.parquet'"):
        people[int(str(wave))].add(str(person))
    return people


def split_households(project: Project) -> int:
    """The number of households that are in more than one wave."""
    query = """
        select count(*) from (
            select household_key from spring_catalog__recipients
            where household_key is not null group by household_key having count(distinct wave_number) > 1
        )
    """
    with duckdb.connect(str(project.path / ".dmail/warehouse.duckdb"), read_only=True) as warehouse:
        (count,) = warehouse.execute(query).fetchone() or (None,)
    return int(str(count))


def after_the_first_wave(refuser: str, vanished: str) -> Callable[[Rows], Rows]:
    """A change of the profiles: `refuser` refuses, `vanished` is deleted, everybody orders, and somebody new would qualify."""

    def changed(rows: Rows) -> Rows:
        refused = {"postal_mail_consent": "n"}
        new = {"profile_id": "new", "last_name": "Newman", "orders_count": "3", "last_order_at": "2020-01-01"}
        ordered = [row | {"last_order_at": "2026-11-01T00:00:00Z"} for row in rows if row["profile_id"] != vanished]
        return [*(row | (refused if row["profile_id"] == refuser else {}) for row in ordered), rows[0] | new]

    return changed


def test_a_mailing_in_waves(project: Project) -> None:
    in_waves(project)
    first = project.call("run", "spring_catalog", "--slot", "2026-11-02T06:00Z")
    assert first.returncode == DONE, first.stderr
    assert [run["state"] for run in project.status()] == ["planned", "planned", "settled"]
    assert "another_wave" in first.stdout
    run = "spring_catalog-20261102T060000Z"
    people = people_by_wave(project, run)
    targeted = project.status()[2]["targeted"]
    assert sum(map(len, people.values())) == len(set.union(*people.values())) == targeted > 1000
    assert [round(len(people[wave]) / targeted, 2) for wave in (1, 2, 3)] == [0.3, 0.3, 0.4]
    assert split_households(project) == 0, "a household is in one wave"
    likely = {str(row[0]) for row in ask(project, f"select profile_id from '{run}/contacts.parquet' where cell = 'mailed'")}
    assert likely <= people[1]

    refuser, vanished = min(people[2]), max(people[2])
    edit_rows(project, "data/profiles.csv", after_the_first_wave(refuser, vanished))
    due = project.call("run", "--due")
    assert due.returncode == DONE, due.stderr
    assert [run["state"] for run in project.status()] == ["settled"] * 3
    assert [run["targeted"] for run in project.status()] == [targeted] * 3, "the audience is found once"
    rows = ask(project, "select profile_id, run_id from read_parquet('*/contacts.parquet') where cell = 'mailed'")
    mailed = [(str(person), name) for person, name in rows]
    by_wave = [{person for person, name in mailed if name == wave} for wave in (run, f"{run}-w2", f"{run}-w3")]
    assert all(some and some <= people[number] for number, some in enumerate(by_wave, start=1))
    assert len(mailed) == len({person for person, _ in mailed}), "nobody is in two waves"
    assert [run["excluded"].get("left_audience") for run in project.status()] == [None, 1, None], "who vanishes has a verdict"
    assert not {refuser, vanished, "new"} & {person for person, _ in mailed}
    assert project.call("run", "--due").returncode == DONE
    assert len(project.delivered) == 3
    again = project.call("resend", f"{run}-w2", "--reason", "the file was not readable")
    assert again.returncode == DONE, again.stderr
    copied = ask(project, f"select profile_id from '{run}-w2-r1/contacts.parquet'")
    assert {str(person) for (person,) in copied} == by_wave[1], "a copy goes to the people of its wave"
    assert project.call("audit", "verify").returncode == DONE


def in_windows(project: Project) -> None:
    """Make welcome_letter mail whom each window has created, whoever was mailed before."""
    alone(project, "welcome_letter")
    project.edit(EXPOSURE.format("welcome_letter"), DAILY, "schedule: {every: 1d, start: 2026-11-01}")
    folder = "models/campaigns/welcome_letter/welcome_letter__"
    text = (project.path / f"{folder}audience.sql").read_text()
    begin, end = text.index("        created_at <"), text.index("    {% endcall %}")
    (project.path / f"{folder}audience.sql").write_text(
        f'{text[:begin]}        {{{{ dmail.in_window("created_at") }}}}\n{text[end:]}'
    )
    project.edit(f"{folder}recipients.sql", "dmail.already_mailed(),", "")


def create(project: Project, moment: str, *people: str) -> None:
    """Add profiles that were created at a moment. All other customers of the sample are old."""

    def changed(rows: Rows) -> Rows:
        old = [row | {"created_at": "2020-01-01"} if row["profile_id"].isdigit() else row for row in rows]
        pattern = rows[0] | {"created_at": moment, "postal_mail_consent": "y", "marketing_consent": "y"}
        names = [(person, f"{person.title()}son") for person in people]
        new = [
            pattern | {"profile_id": person, "last_name": name, "address_line1": f"{len(rows) + number} {name} St"}
            for number, (person, name) in enumerate(names)
        ]
        return [*old, *new]

    edit_rows(project, "data/profiles.csv", changed)


def refuse(project: Project, *people: str) -> None:
    """Let some people refuse letters. All others consent."""

    def changed(rows: Rows) -> Rows:
        return [
            row | {"postal_mail_consent": "n" if row["profile_id"] in people else "y"} if not row["profile_id"].isdigit() else row
            for row in rows
        ]

    edit_rows(project, "data/profiles.csv", changed)


def mailed(project: Project, run: str) -> list[str]:
    """The profiles in a run's contact history."""
    return sorted(str(person) for (person,) in ask(project, f"select profile_id from '{run}/contacts.parquet'"))


def test_windows_take_everybody_once(project: Project) -> None:
    in_windows(project)
    create(project, "2026-11-09T12:00:00Z", "anna", "bert")
    create(project, "2026-11-09T13:00:00Z", "hans", "ida")
    refuse(project, "hans", "ida")
    assert project.call("run", "welcome_letter", "--slot", "2026-11-10T00:00Z").returncode == DONE
    # The next window is missed. Its people, and those that arrive late, come with the window after it.
    create(project, "2026-11-10T00:00:00Z", "carl")
    create(project, "2026-11-10T23:59:00Z", "dora")
    create(project, "2026-11-09T08:00:00Z", "emil")
    create(project, "2026-11-12T00:00:00Z", "frida")
    refuse(project, "hans")
    second = "welcome_letter-20261112T000000Z"
    late = project.call("run", "welcome_letter", "--slot", "2026-11-12T00:00Z")
    assert late.returncode == DONE, late.stderr
    create(project, "2026-11-11T12:00:00Z", "gina")
    again = project.call("resend", second, "--reason", "the file was not readable")
    assert again.returncode == DONE, again.stderr
    assert mailed(project, "welcome_letter-20261110T000000Z") == ["anna", "bert"]
    assert mailed(project, second) == mailed(project, f"{second}-r1") == ["carl", "dora", "emil", "ida"]
    covered = project.call("run", "welcome_letter", "--slot", "2026-11-11T00:00Z")
    assert covered.returncode == WRONG
    assert f"was mailed with {second}" in covered.stderr

    # Ida is mailed after all, and hans is excluded again, so that neither counts twice in totals. A copy counts nobody.
    figures = {run["run_id"]: run for run in project.status()}
    assert figures[second]["counted_before"] == {"consent": 2}
    assert "counted_before" not in figures[f"{second}-r1"]
    known = project.call("access", "hans").stdout
    assert known.count("verdict: consent") == 2, known
    forget(project, "carl")
    for lost in (second, f"{second}-r1"):
        shutil.rmtree(project.path / ".dmail/contact_history" / lost)
    stopped = project.call("run", "welcome_letter", "--slot", "2026-11-13T00:00Z")
    assert stopped.returncode == FAILED
    assert f"{second}/contacts.parquet is missing, with 4 rows" in stopped.stderr
    assert project.call("audit", "reconcile", "--reason", "the disk is lost").returncode == DONE
    third = project.call("run", "welcome_letter", "--slot", "2026-11-13T00:00Z")
    assert third.returncode == DONE, third.stderr
    found = mailed(project, "welcome_letter-20261113T000000Z")
    assert found == ["dora", "emil", "frida", "gina", "ida"], (
        "gina came too late for the second window, and is in no copy of it; the lost history makes them late; the forgotten person stays out"
    )
    assert "suppressed" in third.stdout


def forget(project: Project, person: str) -> None:
    """Forget a person whom two runs have mailed. Nothing but the list of forgotten people has the key afterwards."""
    forgotten = project.call("forget", person, "--reason", "as asked")
    assert forgotten.returncode == DONE, forgotten.stderr
    assert "erased from 2 runs" in forgotten.stdout
    assert person not in forgotten.stdout
    history = project.path / ".dmail/contact_history"
    assert not ask(project, f"select * from read_parquet('*/contacts.parquet') where profile_id = '{person}'")
    key = person.encode()
    assert [file for file in history.rglob("*.parquet") if key in file.read_bytes()] == [history / "forgotten/people.parquet"]
    assert key not in (project.path / ".dmail/ledger.sqlite").read_bytes()


def test_a_service_runs_what_is_due_and_ends_when_asked(project: Project) -> None:
    alone(project, "spring_catalog")
    start = datetime.now(UTC) - timedelta(days=1)
    schedule = f"schedule: {{every: 6h, start: {start:%Y-%m-%d}}}"
    project.edit(EXPOSURE.format("spring_catalog"), SCHEDULE, schedule)
    service = subprocess.Popen(
        [sys.executable, "-c", "from dmail_runner.cli import main; main()", "serve"],
        cwd=project.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until((project.path / ".dmail/service.json").exists, "the service begins")
        second = project.call("serve")
        assert second.returncode == FAILED
        assert "service, process" in second.stderr
        assert project.call("run", "--due").returncode == DONE
    finally:
        service.send_signal(signal.SIGTERM)
        told, errors = service.communicate(timeout=HANGS)
    assert service.returncode == DONE, errors
    lines = told.splitlines()
    assert lines[-1] == "ended"
    runs = [run for run in project.status() if run["state"] == "settled"]
    assert len(runs) == len(project.delivered) == 1
    assert any(line.startswith(f"{runs[0]['run_id']}  delivered  1,") for line in lines)
    assert sum("  missed  " in line for line in lines) == len(project.status()) - 1 >= 3
    state = json.loads((project.path / ".dmail/service.json").read_text())
    assert state["exit_code"] == 0
    assert state["next_slot"] > state["looked_at"]


def test_a_campaign_waits_for_an_approval(project: Project) -> None:
    alone(project, "spring_catalog")
    project.edit(EXPOSURE.format("spring_catalog"), "status: active", "approval: required\n          status: active")
    held = project.run()
    assert held.returncode == HELD
    assert "waits for an approval" in held.stderr
    shown = project.call("approve", "spring_catalog", "--show")
    assert shown.returncode == DONE, shown.stderr
    for expected in ("never approved before", " models, ", " macros, ", "  included", "  Postal Code"):
        assert expected in shown.stdout
    assert project.call("approve", "spring_catalog", "--by", "Ann").returncode == DONE
    recipients = "models/campaigns/spring_catalog/spring_catalog__recipients.sql"
    before = (project.path / recipients).read_text()
    project.edit(recipients, HOUSEHOLDS, "")
    changed = project.run()
    assert changed.returncode == HELD
    shown = project.call("approve", "spring_catalog", "--show", "--full")
    assert "model dmail.spring_catalog__recipients: changed" in shown.stdout
    assert f"-            {HOUSEHOLDS}" in shown.stdout
    (project.path / recipients).write_text(before)
    assert project.run().returncode == DONE
    assert len(project.delivered) == 1
    assert Path(project.path / ".dmail/ledger.sqlite").exists()
