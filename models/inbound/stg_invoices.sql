-- What mail houses bill: one row per line of an invoice. Empty until the first fetch.
{% set columns = {
    "invoice_id": "string",
    "run_id": "string",
    "file_name": "string",
    "campaign": "string",
    "pieces": "bigint",
    "production": "decimal(18, 4)",
    "postage": "decimal(18, 4)",
    "amount": "decimal(18, 4)",
    "currency": "string",
    "happened_at": "timestamp",
    "entry": "string",
    "file": "string",
    "row_number": "bigint",
    "received_at": "timestamp",
} %}
with
    received as (
        select {{ columns | join(", ") }}
        from {{ dmail.read_files(source("dmail", "inbound_invoice"), otherwise=columns) }}
    ),

    -- A corrected file repeats what another one has reported. The last one counts.
    final as (
        select *
        from
            (
                select
                    *, dense_rank() over (partition by invoice_id order by received_at desc, entry, file) as copy_number
                from received
            ) as numbered
        where copy_number = 1
    )

select {{ columns | join(", ") }}
from final
