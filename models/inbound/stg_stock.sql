-- The materials at mail houses: one row per item and report. Empty until the first fetch.
{% set columns = {
    "item": "string",
    "on_hand": "bigint",
    "alert_level": "bigint",
    "valid_until": "timestamp",
    "lead_time_days": "bigint",
    "happened_at": "timestamp",
    "entry": "string",
    "file": "string",
    "row_number": "bigint",
    "received_at": "timestamp",
} %}
with
    received as (
        select {{ columns | join(", ") }}
        from {{ dmail.read_files(source("dmail", "inbound_stock"), otherwise=columns) }}
    ),

    -- A file that is sent again, or with more rows, repeats rows. The last one counts.
    final as (
        select *
        from
            (
                select
                    *,
                    row_number() over (
                        partition by item, happened_at order by received_at desc, entry, file, row_number
                    ) as copy_number
                from received
            ) as numbered
        where copy_number = 1
    )

select {{ columns | join(", ") }}
from final
