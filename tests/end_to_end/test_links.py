"""Personal addresses from the extract to the response that is credited, and a letter that follows a delivery."""

import base64
import csv
import hashlib
import hmac
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import yaml

from project import DONE, FAILED, FILE, WRONG, Project, surroundings
from scanner import black_in, scanned
from wait import HANGS
from warm import ask

RUN = "spring_catalog-20261102T110000Z"
KEY, OTHER = (bytes([number] * 32) for number in (0x5A, 0xA5))
BASE = "https://go.example.com/"
MODELS = "models/campaigns/spring_catalog/"
INBOUND = {
    "scans": {
        "route": "outbox", "files": "scans/*.csv", "kind": "responses",
        "columns": {"response_id": "request", "purl": "url", "happened_at": "time"},
    },
    "post": {"route": "outbox", "files": "post/*.csv", "layout": "generic_delivery_status"},
}  # fmt: skip


def text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def with_links(project: Project) -> None:
    """Let the catalog have an address and a picture of it, and the letter follow it three days after its delivery.

    One piece of ten has a picture, because all pictures would take longer than the rest of the build.
    """
    some = "case when profile_id like '%7' then purl end"
    address = f'{{{{ dmail.purl("{BASE}") }}}} as purl, {{{{ dmail.qr_svg("{some}") }}}} as purl_qr,'
    project.edit(
        MODELS + "spring_catalog__extract.sql", "            piece_id,\n", f"            piece_id,\n            {address}\n"
    )
    column = "      - name: piece_id\n        description: \"{{ doc('piece_id') }}\"\n        data_type: string\n        config: {meta: {label: Piece ID}}\n"
    more = (
        "      - {name: purl, data_type: string, constraints: [{type: not_null}]}\n"
        "      - {name: purl_qr, data_type: string, config: {meta: {label: QR}}}\n"
    )
    project.edit(MODELS + "_spring_catalog__models.yml", column, column + more)
    audience = project.path / "models/campaigns/welcome_letter/welcome_letter__audience.sql"
    follow = '{{ dmail.piece_reached("delivered", campaigns=["spring_catalog"], days=3) }}'
    head, _, _ = audience.read_text().partition("where")
    audience.write_text(f"{head}where\n    {{% call dmail.targeted() %}} {follow} {{% endcall %}}\n")
    (project.path / "profiles/inbound.yml").write_text(yaml.safe_dump(INBOUND))


def put(project: Project, name: str, *lines: str) -> None:
    path = project.path / "outbox" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def pieces(project: Project) -> dict[str, dict[str, str]]:
    with (project.path / "outbox" / FILE).open(newline="") as content:
        return {row["Customer ID"]: row for row in csv.DictReader(content)}


def token(profile: str) -> str:
    piece = f"spring_catalog|2026-11-02 11:00:00|{profile}"
    return hmac.new(KEY, piece.encode(), hashlib.sha256).hexdigest()[:20].upper()


def where_key_is(folder: Path) -> list[Path]:
    """The files with the key in one of its forms."""
    forms = [KEY, text(KEY).encode(), KEY.hex().encode(), bytes(b ^ 0x36 for b in KEY), bytes(b ^ 0x5C for b in KEY)]
    forms += [form.hex().encode() for form in forms[-2:]]
    return [path for path in folder.rglob("*") if path.is_file() and any(form in path.read_bytes() for form in forms)]


def test_a_visit_is_credited_to_its_piece_and_a_delivery_is_followed(project: Project, warm_dbt: str) -> None:
    with_links(project)
    refused_without_its_key(project)
    plugin = "      plugins: [{module: dmail_runner.project.link_key}]\n"
    project.edit("profiles/profiles.yml", "      threads: 2 # models", f"{plugin}      threads: 2 # models")
    project.environment["DMAIL_LINK_KEY"] = text(KEY)
    done = project.run()
    assert done.returncode == DONE, done.stderr
    rows = pieces(project)
    printed(project, rows)
    answers(project, rows)
    credited(project, warm_dbt, len([key for key in rows if key.isdigit()]))

    # The first window that ends after the reports were received. The other piece was delivered yesterday.
    slot = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT12:00Z")
    followed = project.call("run", "welcome_letter", "--slot", slot, "--accept", "volume")
    assert followed.returncode == DONE, followed.stderr
    (name,) = [name for name in project.delivered if "welcome_letter" in name]
    assert len((project.path / "outbox" / name).read_text().splitlines()) == 2, "a header, and one letter"

    again = project.call("replay", RUN)
    assert again.returncode == DONE, again.stdout + again.stderr
    other = project.call("replay", RUN, DMAIL_LINK_KEY=text(OTHER))
    assert other.returncode == FAILED
    assert "changed   key of personal addresses" in other.stdout
    assert where_key_is(project.path) == []
    assert text(KEY) not in "".join(call.stdout + call.stderr for call in (done, followed, again))


def refused_without_its_key(project: Project) -> None:
    for environment, fault in (
        ({}, "DMAIL_LINK_KEY: is not set: it is the key of the personal addresses of pieces; allowed: 32 bytes in base64"),
        ({"DMAIL_LINK_KEY": text(KEY)}, "plugins: needs the plugin that gives the models the key of personal addresses"),
        ({"DMAIL_LINK_KEY": "guess"}, "DMAIL_LINK_KEY must be 32 bytes in base64"),
    ):
        for command in (("check",), ("run", "spring_catalog", "--dry-run")):
            refused = project.call(*command, **environment)
            assert refused.returncode == WRONG, refused.stdout
            assert fault in " ".join(refused.stderr.split())
            assert "openssl rand -base64 32" in refused.stderr or "plugins" in fault


def printed(project: Project, rows: dict[str, dict[str, str]]) -> None:
    """Each piece has an address of its own, some also as a picture, and the contact history a hash of it."""
    assert {key: row["purl"] for key, row in rows.items()} == {key: BASE + token(key) for key in rows}
    assert len({row["purl"] for row in rows.values()}) == len(rows) > 1000
    drawn = [key for key in rows if key.endswith("7")]
    assert [key for key, row in rows.items() if row["QR"]] == drawn
    assert all(scanned(black_in(rows[key]["QR"])) == [rows[key]["purl"]] for key in drawn[:3])
    (contacts,) = (project.path / ".dmail/contact_history").glob("*/contacts.parquet")
    hashes = {name for (name,) in duckdb.sql(f"select purl_hash from '{contacts}' where cell = 'mailed'").fetchall()}
    assert hashes == {hashlib.sha256(token(key).encode()).hexdigest() for key in rows if key.isdigit()}


def answers(project: Project, rows: dict[str, dict[str, str]]) -> None:
    """Two people visit their addresses, and somebody guesses one. Two pieces are delivered, and one is on its way."""
    first, second, third = [key for key in rows if key.isdigit()][:3]
    put(project, "scans/one.csv", "request,url,time",
        f"v1,{rows[first]['purl'].lower()}?utm_source=mail,2026-11-09",
        f"v2,{token(second)},2026-11-09",
        f"v3,{BASE}{'0' * 20},2026-11-09")  # fmt: skip
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S")
    put(project, "post/one.csv", "piece_id,status,happened_at",
        f"{rows[first]['Piece ID']},delivered,2026-11-04",
        f"{rows[second]['Piece ID']},delivered,{yesterday}",
        f"{rows[third]['Piece ID']},in_transit,2026-11-04")  # fmt: skip
    received = project.call("fetch")
    assert received.returncode == DONE, received.stderr


def credited(project: Project, warm_dbt: str, people: int) -> None:
    """The visits are credited, and the pieces are counted. The unit tests of these models pass."""
    command = [
        *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "build", "--profiles-dir", "profiles", "--quiet"),
        *("--select", "+int_sends", "int_responses", "stg_responses", "int_piece_events", "int_piece_status", "rpt_piece_status"),
    ]
    built = ask(warm_dbt, command, cwd=project.path, env={**surroundings(), **project.environment}, timeout=HANGS)
    assert built.returncode == 0, built.stdout
    with duckdb.connect(str(project.path / ".dmail/warehouse.duckdb"), read_only=True) as connection:
        connection.execute(f"set file_search_path = '{project.path}'")
        visits = "select response_id, attributed_run_id, attributed_by from int_responses order by 1"
        assert connection.execute(visits).fetchall() == [("v1", RUN, "purl"), ("v2", RUN, "purl"), ("v3", None, None)]
        status = "select status, pieces, mailed from rpt_piece_status order by 1"
        assert connection.execute(status).fetchall() == [("delivered", 2, people), ("in_transit", 1, people)]
