"""Signed approvals: an SSH signature over the fingerprint, made anywhere, and checked against the keys of policy.yml."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dmail_runner.core.errors import DmailError, UsageError
from dmail_runner.declare.policy import FILE, Approver

NAMESPACE = "dmail-runner"  # a signature for another purpose is no approval


def request_text(campaign: str, fingerprint: str, after: str) -> str:
    """What an approver signs.

    Args:
        campaign: the campaign's name.
        fingerprint: of the definition.
        after: the hash of the event that the last approval in force has in the ledger; empty if there is none. A signature cannot
            be used again once a later approval is in force.
    """
    return f"dmail-runner approval\ncampaign {campaign}\nfingerprint {fingerprint}\nafter {after or '-'}\n"


def signer(text: str, signature: str, approvers: Mapping[str, Approver]) -> tuple[str, str]:
    """The approver who has signed a text, and the key.

    Raises:
        UsageError: if the signature is of another text, or by no key of an approver.
    """
    with tempfile.TemporaryDirectory(prefix="dmail-signed-") as folder:
        signed = Path(folder, "signature")
        signed.write_text(signature)
        for name, approver in approvers.items():
            for key in approver.key:
                allowed = Path(folder, "allowed")
                allowed.write_text(f'approver namespaces="{NAMESPACE}" {key}\n')
                told = ["-Y", "verify", "-f", str(allowed), "-I", "approver", "-n", NAMESPACE, "-s", str(signed)]
                if ssh_keygen(told, text).returncode == 0:
                    return name, key
    raise UsageError(
        f"the signature is not one of what is to be approved now, by a key of an approver in {FILE}",
        todo="sign what `approve CAMPAIGN --request` prints now",
    )


def ssh_keygen(arguments: Sequence[str], text: str) -> subprocess.CompletedProcess[str]:
    """Run ssh-keygen with a text as its input. Raises DmailError if it is not installed."""
    program = shutil.which("ssh-keygen")
    if program is None:
        raise DmailError("signed approvals need ssh-keygen, of OpenSSH 8.2 or later", todo="install the OpenSSH client")
    return subprocess.run([program, *arguments], input=text, capture_output=True, text=True, check=False)
