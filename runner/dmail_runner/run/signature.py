"""Signed approvals: SSH signatures over the fingerprint, verified by the keys of policy.yml."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dmail_runner.core.errors import DmailError, UsageError
from dmail_runner.declare.policy import FILE, Approver

NAMESPACE = "dmail-runner"  # signatures for other purposes are not valid


def request_text(campaign: str, fingerprint: str, after: str) -> str:
    """The text that an approver signs.

    Args:
        campaign: the campaign's name.
        fingerprint: the fingerprint of the definition.
        after: the hash of the event of the definition in force; empty if there is none. A signature is therefore invalid as soon
            as another definition is in force.
    """
    return f"dmail-runner approval\ncampaign {campaign}\nfingerprint {fingerprint}\nafter {after or '-'}\n"


def signer(text: str, signature: str, approvers: Mapping[str, Approver]) -> tuple[str, str]:
    """The approver who has signed a text, and the approver's key.

    Raises:
        UsageError: if the signature is for another text, or not by an approver's key.
    """
    with tempfile.TemporaryDirectory(prefix="dmail-signed-") as folder:
        signed = Path(folder, "signature")
        signed.write_text(signature)
        for name, approver in approvers.items():
            for key in approver.key:
                allowed = Path(folder, "allowed")
                allowed.write_text(f'approver namespaces="{NAMESPACE}" {key}\n')
                arguments = ["-Y", "verify", "-f", str(allowed), "-I", "approver", "-n", NAMESPACE, "-s", str(signed)]
                if ssh_keygen(arguments, text).returncode == 0:
                    return name, key
    raise UsageError(
        f"the signature is not for the present definition, or not by the key of an approver in {FILE}",
        todo="sign the text that `approve CAMPAIGN --request` prints",
    )


def ssh_keygen(arguments: Sequence[str], text: str) -> subprocess.CompletedProcess[str]:
    """Run ssh-keygen with a text as input. Raises DmailError if it is not installed."""
    program = shutil.which("ssh-keygen")
    if program is None:
        raise DmailError("signed approvals need ssh-keygen, of OpenSSH 8.2 or later", todo="install the OpenSSH client")
    return subprocess.run([program, *arguments], input=text, capture_output=True, text=True, check=False)
