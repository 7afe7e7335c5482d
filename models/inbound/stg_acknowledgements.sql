-- What mail houses did with our files: one row per file, status and day, or per piece. Empty until the first fetch.
{{
    dmail.received(
        "acknowledgement",
        columns={
            "run_id": "string",
            "file_name": "string",
            "piece_id": "string",
            "status": "string",
            "pieces": "bigint",
            "reason": "string",
            "happened_at": "timestamp",
        },
        key=["run_id", "file_name", "piece_id", "status", "happened_at"],
        keep="last file",
    )
}}
