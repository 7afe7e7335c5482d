-- One row per file of a run, with its hash and its receipt.
with
    parts as (
        select *
        from
            {{
                dmail.read_files(
                    source("dmail_figures", "parts"),
                    otherwise={
                        "run_id": "string",
                        "number": "integer",
                        "name": "string",
                        "rows": "bigint",
                        "bytes": "bigint",
                        "sha256": "string",
                        "route": "string",
                        "is_side_file": "boolean",
                        "intended_at": "timestamp",
                        "delivered_at": "timestamp",
                        "location": "string",
                    },
                )
            }}
    ),

    runs as (select * from {{ ref("rpt_runs") }}),

    final as (
        select
            parts.run_id,
            runs.campaign,
            runs.slot_at,
            parts.number as part_number,
            parts.name as file_name,
            parts.rows as row_count,
            parts.bytes as byte_count,
            parts.sha256,
            parts.route,
            parts.is_side_file,
            parts.intended_at,
            parts.delivered_at,
            parts.location
        from parts
        inner join runs on parts.run_id = runs.run_id
    )

select *
from final
