"""Sealed files in a whole project."""

import hashlib
import io
import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from gpg import Gpg
from project import DONE, FAILED, FILE, SLOT, WRONG, Project


def add_key(project: Project, gpg: Gpg, acme: str, **more: Any) -> None:
    (project.path / "profiles/keys").mkdir()
    (project.path / "profiles/keys/acme.asc").write_bytes(gpg.public(acme))
    project.add_route(type="folder", path="outbox", encryption={"keys": [{"file": "acme.asc", "fingerprint": acme}], **more})


def test_a_sealed_run_leaves_no_plain_row(project: Project, gpg: Gpg, acme: str, tmp_path: Path) -> None:
    """The state lies on a small disk of its own, whose every block is looked at; the warehouse, which holds the tables, elsewhere."""
    add_key(project, gpg, acme)
    disk, image = tmp_path / "disk", tmp_path / "image"
    disk.mkdir()
    image.write_bytes(b"")
    os.truncate(image, 64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    if os.geteuid() != 0 or subprocess.run(["mount", "-o", "loop", image, disk], check=False).returncode:
        pytest.skip("mounting needs root")
    try:
        places = {"DMAIL_STATE_DIR": str(disk / "state"), "DMAIL_WAREHOUSE": str(tmp_path / "w.duckdb"), "TMPDIR": str(disk)}
        project.environment = places
        done = project.run()
        assert done.returncode == DONE, done.stderr
        (part,) = project.status()[0]["parts"]
    finally:
        subprocess.run(["umount", disk], check=True)
    assert part["name"] == f"{FILE}.pgp"
    plain = gpg.open(project.path / "outbox" / part["name"])
    assert hashlib.sha256(plain).hexdigest() == part["plain_sha256"]
    rows = plain.split(b"\r\n")
    assert len(rows) > 1000
    blocks = image.read_bytes()
    assert SLOT[:10].encode() in blocks, "the ledger is there to be found"
    assert not any(row in blocks for row in rows[1:-1:50])
    names = sorted({row.split(b",")[1] for row in rows[1:-1]}, key=len)[-25:]
    assert not any(name in blocks for name in names)


def test_what_was_frozen_before_there_was_a_key_is_not_sent_plain(project: Project, gpg: Gpg, acme: str) -> None:
    project.add_route(type="folder", path="/proc/nowhere")
    assert project.run().returncode == FAILED
    (project.path / "profiles/keys").mkdir()
    (project.path / "profiles/keys/acme.asc").write_bytes(gpg.public(acme))
    keys = f"[{{file: acme.asc, fingerprint: {acme}}}]"
    project.edit("profiles/routes.yml", "path: /proc/nowhere", f"path: outbox\n  encryption: {{keys: {keys}}}")
    done = project.run()
    assert done.returncode == DONE, done.stderr
    assert project.delivered == [f"{FILE}.pgp"]
    (part,) = project.status()[0]["parts"]
    assert hashlib.sha256(gpg.open(project.path / "outbox" / part["name"])).hexdigest() == part["plain_sha256"]
    assert project.private_leftovers() == []


def test_what_must_be_sealed_is_not_sent_plain(project: Project, gpg: Gpg, acme: str) -> None:
    project.edit(
        "profiles/providers.yml",
        "label: Acme Print",
        "label: Acme Print\n  require_encryption: true\n  side_files: [sha256, manifest]",
    )
    refused = project.run()
    assert refused.returncode == WRONG
    assert "outbox.encryption: is required: acme_print has `require_encryption`" in refused.stderr
    add_key(project, gpg, acme, suffix=".gpg", armor=True)
    done = project.run()
    assert done.returncode == DONE, done.stderr
    assert project.delivered == [f"{FILE}.gpg", f"{FILE}.gpg.sha256", f"{FILE}.json"]
    (entry,) = json.loads((project.path / "outbox" / f"{FILE}.json").read_text())["files"]
    sealed = (project.path / "outbox" / f"{FILE}.gpg").read_bytes()
    assert entry["sha256"] == hashlib.sha256(sealed).hexdigest()
    assert entry["plain_sha256"] == hashlib.sha256(gpg.open(project.path / "outbox" / f"{FILE}.gpg")).hexdigest()
    (project.path / "profiles/keys/acme.asc").write_bytes(gpg("--armor", "--export-secret-keys", acme))
    wrong = project.run("2026-11-09T11:00Z")
    assert wrong.returncode == WRONG
    assert "contains a secret key" in wrong.stderr
    assert len(project.status()) == 1, "nothing was begun"


def test_a_compressed_file_is_named_and_told_as_what_it_is(project: Project, gpg: Gpg, acme: str) -> None:
    project.edit("profiles/providers.yml", "label: Acme Print", "label: Acme Print\n  compress: zip\n  side_files: [manifest]")
    add_key(project, gpg, acme)
    done = project.run()
    assert done.returncode == DONE, done.stderr
    assert project.delivered == [f"{FILE}.json", f"{FILE}.zip.pgp"]
    (entry,) = json.loads((project.path / "outbox" / f"{FILE}.json").read_text())["files"]
    packed = gpg.open(project.path / "outbox" / f"{FILE}.zip.pgp")
    assert entry["plain_sha256"] == hashlib.sha256(packed).hexdigest()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == [entry["inner_name"]] == [FILE.rpartition("/")[2]]
        content = archive.read(entry["inner_name"])
    assert (entry["inner_bytes"], entry["inner_sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    part = project.status()[0]["parts"][0]
    assert part["inner_sha256"] == entry["inner_sha256"]
    assert entry["inner_sha256"] in done.stdout
    assert project.private_leftovers() == []
