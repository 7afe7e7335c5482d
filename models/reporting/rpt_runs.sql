-- One row per run, with the figures of the report. Empty until `dmail-runner report` has written them.
with
    runs as (
        select *
        from
            {{
                dmail.read_files(
                    source("dmail_figures", "runs"),
                    otherwise={
                        "run_id": "string",
                        "campaign": "string",
                        "slot": "timestamp",
                        "wave": "integer",
                        "first": "string",
                        "copy_of": "string",
                        "state": "string",
                        "hold": "string",
                        "targeted": "bigint",
                        "excluded": "bigint",
                        "included": "bigint",
                        "seeds": "bigint",
                        "sends": "bigint",
                        "delivered": "bigint",
                        "errors": "bigint",
                        "waiting": "bigint",
                        "cost": "decimal(18, 2)",
                        "currency": "string",
                        "production": "decimal(18, 2)",
                        "postage": "decimal(18, 2)",
                        "purchase_order": "string",
                        "cost_centre": "string",
                        "against": "string",
                        "came": "bigint",
                        "went": "bigint",
                        "counted_before": "bigint",
                        "included_before": "bigint",
                        "created_at": "timestamp",
                        "frozen_at": "timestamp",
                        "changed_at": "timestamp",
                    },
                )
            }}
    ),

    final as (
        select
            run_id,
            campaign,
            slot as slot_at,
            wave,
            coalesce(first, copy_of, run_id) as mailing,
            copy_of,
            state,
            hold,
            targeted,
            excluded,
            included,
            seeds,
            sends,
            delivered,
            errors,
            waiting,
            cost,
            currency,
            production,
            postage,
            purchase_order,
            cost_centre,
            against as compared_with,
            came,
            went,
            included - came as stayed,
            counted_before,
            included_before,
            created_at,
            frozen_at,
            changed_at
        from runs
    )

select *
from final
