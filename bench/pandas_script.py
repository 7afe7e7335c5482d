"""The contender pandas: a script like those in notebooks, and paramiko's put, without encryption."""

import hashlib
import sys
from pathlib import Path

import pandas as pd
import paramiko

from bench.floor import LABELS
from bench.letters import ROOT, SLOT

LISTS = ["do_not_mail", "deceased", "returned"]
PERSON = ["first_name", "last_name", "address_line1", "postal_code", "country_code"]


def digest(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def plain(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Columns as one text, by which people and households are matched."""
    joined = frame[columns[0]].fillna("")
    for column in columns[1:]:
        joined = joined + " " + frame[column].fillna("")
    matched: pd.Series = (
        joined.str.lower().str.replace(r"\bstreet\b", "st", regex=True).str.replace(r"[^\w]+", " ", regex=True).str.strip()
    )
    return matched


def select(folder: Path) -> pd.DataFrame:
    """The rows of the letter, in the file's order."""
    frame = pd.read_parquet(folder / "profiles.parquet")
    slot = pd.Timestamp(SLOT, tz="UTC")
    lapsed = pd.to_datetime(frame["last_order_at"], utc=True) < slot - pd.DateOffset(months=12)
    consent = (frame["postal_mail_consent"].fillna("") != "n") & (frame["marketing_consent"].fillna("") != "n")
    frame = frame[(frame["is_test_profile"] == "false") & (frame["orders_count"] > 0) & lapsed & consent]
    lists = pd.read_csv(folder / "lists.csv", dtype=str)
    lists = lists[lists["list_name"].isin(LISTS)]
    frame = frame[~frame["profile_id"].isin(lists["profile_id"].dropna())]
    frame = frame[~plain(frame, PERSON).isin(set(plain(lists[lists["address_line1"].notna()], PERSON)))]
    frame = frame.merge(pd.read_csv(ROOT / "seeds/countries.csv", dtype=str, keep_default_na=False), on="country_code")
    name = (frame["first_name"].fillna("") + " " + frame["last_name"].fillna("")).str.strip()
    frame["full_name"] = (frame["title"].fillna("") + " " + name).str.strip()
    complete = ((name != "") | frame["company"].notna()) & frame["address_line1"].notna() & frame["city"].notna()
    frame = frame[complete & frame["postal_code"].notna()]
    frame["household"] = plain(frame, ["last_name", "address_line1", "postal_code", "country_code"]).map(digest).str[:16]
    history = pd.read_parquet(folder / "history/before/contacts.parquet", columns=["household_key", "cell", "slot"])
    recent = history[(history["cell"] == "mailed") & (history["slot"] > slot.tz_localize(None) - pd.Timedelta(days=30))]
    frame = frame[~frame["household"].isin(recent["household_key"])]
    frame = frame.sort_values(["lifetime_value", "profile_id"], ascending=[False, True]).drop_duplicates("household")
    held = frame["profile_id"].map(lambda key: digest(f"spring_catalog/holdout/{key}")[:8] < "0ccccccd")
    frame = frame[~held]
    frame["country"] = frame["country_name"].str.upper()
    frame["key_code"] = "SPRING-" + frame["country_code"]
    frame["piece_id"] = frame["profile_id"].map(lambda key: digest(f"spring_catalog/{SLOT}/{key}")[:12].upper())
    ordered: pd.DataFrame = frame.sort_values(["country_code", "postal_code", "profile_id"])[list(LABELS)]
    return ordered.rename(columns=LABELS)


def main(arguments: list[str]) -> None:
    """Write the file and upload it."""
    folder, output, port, user, key = arguments
    select(Path(folder)).to_csv(output, index=False, lineterminator="\r\n")
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect("127.0.0.1", int(port), user, key_filename=key)
    client.open_sftp().put(output, Path(output).name)
    client.close()


if __name__ == "__main__":
    main(sys.argv[1:])
