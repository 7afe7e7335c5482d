"""What people write today: pandas in a notebook, and paramiko's put."""

import sys
from pathlib import Path

import pandas as pd
import paramiko

COLUMNS = {
    "profile_id": "Customer ID",
    "full_name": "Full Name",
    "company": "Company",
    "address_line1": "Address 1",
    "address_line2": "Address 2",
    "city": "City",
    "region": "State",
    "postal_code": "Postal Code",
    "country_name": "Country",
    "country_code": "Country Code",
    "language": "Language",
}


def select(profiles: str, countries: str, slot: str) -> pd.DataFrame:
    """The rows of the letter, in the file's order."""
    frame = pd.read_parquet(profiles)
    lapsed = pd.to_datetime(frame["last_order_at"], utc=True) < pd.Timestamp(slot, tz="UTC") - pd.DateOffset(months=12)
    consent = (frame["postal_mail_consent"].fillna("") != "n") & (frame["marketing_consent"].fillna("") != "n")
    frame = frame[(frame["is_test_profile"] == "false") & (frame["orders_count"] > 0) & lapsed & consent]
    frame = frame.merge(pd.read_csv(countries, dtype=str, keep_default_na=False), on="country_code")
    frame["address_line2"] = frame["address_line2"].str.replace(r"\s+", " ", regex=True).str.strip()
    name = (frame["first_name"].fillna("") + " " + frame["last_name"].fillna("")).str.strip()
    frame["full_name"] = (frame["title"].fillna("") + " " + name).str.strip()
    frame["country_name"] = frame["country_name"].str.upper()
    complete = ((name != "") | frame["company"].notna()) & frame["address_line1"].notna() & frame["city"].notna()
    frame = frame[complete & (frame["postal_code"].notna() | (frame["requires_postal_code"] == "false"))]
    key = ["first_name", "last_name", "company", "address_line1", "address_line2", "city", "postal_code", "country_code"]
    frame = frame.sort_values(["lifetime_value", "profile_id"], ascending=[False, True]).drop_duplicates(key)
    ordered: pd.DataFrame = frame.sort_values(["country_code", "postal_code", "profile_id"])[list(COLUMNS)]
    return ordered.rename(columns=COLUMNS)


def main(arguments: list[str]) -> None:
    """Write the file and upload it."""
    profiles, countries, slot, output, port, user, key = arguments
    select(profiles, countries, slot).to_csv(output, index=False, lineterminator="\r\n")
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect("127.0.0.1", int(port), user, key_filename=key)
    client.open_sftp().put(output, Path(output).name)
    client.close()


if __name__ == "__main__":
    main(sys.argv[1:])
