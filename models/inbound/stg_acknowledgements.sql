-- What mail houses did with our files: one row per file, status and day, or per piece. Empty until the first fetch.
{% set columns = {
    "run_id": "string",
    "file_name": "string",
    "piece_id": "string",
    "status": "string",
    "pieces": "bigint",
    "reason": "string",
    "happened_at": "timestamp",
    "entry": "string",
    "file": "string",
    "row_number": "bigint",
    "received_at": "timestamp",
} %}
with
    received as (
        select {{ columns | join(", ") }}
        from {{ dmail.read_files(source("dmail", "inbound_acknowledgement"), otherwise=columns) }}
    ),

    -- A corrected file repeats what another one has reported. The last one counts.
    final as (
        select *
        from
            (
                select
                    *,
                    dense_rank() over (
                        partition by run_id, file_name, piece_id, status, happened_at
                        order by received_at desc, entry, file
                    ) as copy_number
                from received
            ) as numbered
        where copy_number = 1
    )

select {{ columns | join(", ") }}
from final
