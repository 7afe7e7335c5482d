"""`route test` and `route fingerprint` as an operator sees them."""

import io
import zipfile
from pathlib import Path
from typing import Any

from gpg import Gpg
from project import DONE, FAILED, WRONG, Project
from servers.listener import serve_odd
from servers.mail_house import MailHouse
from servers.rights import Shouting
from servers.server import Server
from servers.takers import TakenOnRename
from sshd import Sshd, serve


def sftp_entry(server: Sshd) -> dict[str, Any]:
    login = {"host": "127.0.0.1", "port": server.port, "user": server.user, "private_key": str(server.key)}
    return {"type": "sftp", **login, "host_key": server.fingerprint, "directory": str(server.root), "timeout": 60}


def odd_entry(server: Server) -> dict[str, Any]:
    return {"type": "sftp", **server.login, "directory": server.directory, "timeout": 60}


def test_a_route_that_can_be_used(project: Project, sshd: Sshd) -> None:
    project.add_route(**sftp_entry(sshd))
    assert "has not been used yet" in project.call("check").stdout
    tried = project.call("route", "test", "test")
    assert tried.returncode == DONE, tried.stderr
    *lines, verdict = tried.stdout.splitlines()
    assert verdict == "the route test can be used"
    assert [line.removeprefix("files").strip() for line in lines[::5]] == ["loyalty/*.txt", "*.txt", "inbound/*.csv"]
    for number, what in enumerate(("session", "deliver", "rename", "remove"), start=1):
        assert all(line.startswith(f"{what:<9}ok  ") for line in lines[number::5])
    assert sshd.fingerprint in tried.stdout
    assert "MB/s" in tried.stdout
    assert list(sshd.root.rglob("*.*")) == []
    assert "has not been used yet" not in project.call("check").stdout


def test_what_a_server_needs_is_found_and_a_run_settles_by_it(project: Project, tmp_path: Path) -> None:
    with serve(tmp_path / "sshd", sftp_options="-P rename") as server:
        project.add_route(**sftp_entry(server))
        tried = project.call("route", "test", "test")
        assert tried.returncode == FAILED
        assert "deliver  NO  sftp://" in tried.stdout
        assert "deliver  ok  with `finish: direct`: " in tried.stdout
        assert "in profiles/routes.yml, give it `finish: direct`\n" in tried.stderr
        assert list(server.root.rglob("*.*")) == []
        project.edit("profiles/routes.yml", "test:", "test:\n  finish: direct")
        assert project.run().returncode == DONE


def test_a_probe_looks_like_the_campaigns_files(project: Project, gpg: Gpg, acme: str, tmp_path: Path) -> None:
    """Folder, prefix, suffixes, compression and encryption. It is fetched at once, which is said."""
    (project.path / "profiles/keys").mkdir()
    (project.path / "profiles/keys/acme.asc").write_bytes(gpg.public(acme))
    project.edit("profiles/providers.yml", "label: Acme Print", "label: Acme Print\n  compress: zip\n  prefix: ACME_")
    house = MailHouse(tmp_path / "taken", "*")
    with serve_odd(TakenOnRename, tmp_path / "root", house) as server:
        keys = {"keys": [{"file": "acme.asc", "fingerprint": acme}]}
        project.add_route(**odd_entry(server), encryption=keys)
        tried = project.call("route", "test", "test")
    assert tried.returncode == DONE, tried.stderr
    assert len(house.taken) == 3, "one for each form of the campaigns' files"
    (probe,) = (path for path in house.taken if path.name.endswith(".csv.zip.pgp"))
    name = probe.name.partition(" ")[2]
    assert name.startswith("ACME_dmail-probe-")
    assert f"inbound/{name} is missing: somebody has fetched it" in tried.stdout
    with zipfile.ZipFile(io.BytesIO(gpg.open(probe))) as archive:
        (inner,) = archive.namelist()
        assert inner == name.removesuffix(".zip.pgp")
        assert b"Please do not print it" in archive.read(inner)


def test_a_key_that_cannot_be_encrypted_to_is_told_as_check_tells_it(project: Project, gpg: Gpg) -> None:
    weak = gpg.make("Weak <weak@example.com>", kind=("rsa1024", "default"))
    (project.path / "profiles/keys").mkdir()
    (project.path / "profiles/keys/weak.asc").write_bytes(gpg.public(weak))
    with_key = {"encryption": {"keys": [{"file": "weak.asc", "fingerprint": weak}]}}
    project.add_route(type="folder", path="outbox", **with_key)
    told = "weak.asc is an RSA key of 1,024 bits, which is too short"
    for command in (
        ("check", "spring_catalog"),
        ("route", "test", "test"),
        ("run", "spring_catalog", "--slot", "2026-11-02T11:00Z"),
    ):
        refused = project.call(*command)
        assert refused.returncode == WRONG, command
        assert told in refused.stderr, command
    assert project.delivered == []


def test_text_of_a_server_reaches_no_terminal_raw(project: Project, tmp_path: Path) -> None:
    with serve_odd(Shouting, tmp_path / "root", MailHouse(tmp_path / "taken")) as server:
        project.add_route(**odd_entry(server))
        tried = project.call("route", "test", "test")
    assert tried.returncode == FAILED
    assert "no \\x1b[31mrenames" in tried.stdout
    assert (tried.stdout + tried.stderr).replace("\n", "").isprintable()


def test_fingerprints(project: Project, sshd: Sshd) -> None:
    project.add_route(**sftp_entry(sshd))
    shown = project.call("route", "fingerprint", "test")
    assert shown.stdout.splitlines() == [f"{sshd.fingerprint}  ssh-ed25519"]
    nobody = project.call("route", "fingerprint", "outbox")
    assert nobody.returncode == WRONG
    assert "it has no `host`" in nobody.stderr


def test_a_server_with_sha1_only_is_named_with_what_to_ask_for(project: Project, tmp_path: Path) -> None:
    with serve(tmp_path / "sshd", settings="KexAlgorithms diffie-hellman-group14-sha1") as server:
        project.add_route(**sftp_entry(server))
        for command in ("test", "fingerprint"):
            tried = project.call("route", command, "test")
            assert tried.returncode == FAILED
            assert "diffie-hellman-group14-sha1 rests on SHA-1" in tried.stdout + tried.stderr
            assert "ask the provider to enable curve25519-sha256" in tried.stderr
