"""The floor: one hand-written DuckDB script, gpg, and OpenSSH's sftp, without tests, verdicts and a ledger."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb

from bench.letters import by_hand

LABELS = {
    "profile_id": "Customer ID",
    "full_name": "Full Name",
    "company": "Company",
    "address_line1": "Address 1",
    "address_line2": "Address 2",
    "city": "City",
    "region": "State",
    "postal_code": "Postal Code",
    "country": "Country",
    "country_code": "Country Code",
    "language": "Language",
    "key_code": "Key Code",
    "piece_id": "Piece ID",
}
ORDER = "country_code nulls last, postal_code nulls last, profile_id"


def main(arguments: list[str]) -> None:
    """Write the file, encrypt it, and upload it with the given sftp command, which reads its batch from standard input."""
    folder, output, home, recipient, *sftp = arguments
    columns = ", ".join(f'{name} as "{label}"' for name, label in LABELS.items())
    limits: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": os.environ.get("DMAIL_MEMORY_LIMIT", "3GB"),
        "threads": "2",
        "temp_directory": f"{output}.spill",
    }
    with duckdb.connect(f"{output}.duckdb", config=limits) as connection:
        connection.execute(by_hand(Path(folder)))
        query = f"select {columns} from letters order by {ORDER}"
        connection.execute(f"copy ({query}) to '{output}' (format csv, header true, new_line '\\r\\n')")
    gpg = ["gpg", "--homedir", home, "--batch", "--yes", "--trust-model", "always", "--compress-algo", "none"]
    subprocess.run([*gpg, "--recipient", recipient, "--output", f"{output}.pgp", "--encrypt", output], check=True)
    batch = f"put {output}.pgp {Path(output).name}.pgp\n"
    subprocess.run(sftp, input=batch, text=True, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(sys.argv[1:])
