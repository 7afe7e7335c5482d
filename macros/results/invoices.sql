{#
    What mail houses bill: one row per line of an invoice, as its last file has it. There are none until the first fetch. `rpt_costs` reads
    it without `stg_invoices`, so that the reports can be built alone.
#}
{% macro invoices() %}
    {{
        return(
            dmail.received(
                "invoice",
                columns={
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
                },
                key=["invoice_id"],
                keep="last file",
            )
        )
    }}
{% endmacro %}
