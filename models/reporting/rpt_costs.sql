-- One row per campaign, month of the slot and currency: the estimated cost of its delivered mailings.
with
    runs as (select * from {{ ref("rpt_runs") }}),

    final as (
        select
            campaign,
            cast({{ dbt.date_trunc("month", "slot_at") }} as date) as month,
            currency,
            count(*) as runs,
            sum(sends) as sends,
            sum(cost) as cost,
            sum(cost) / nullif(sum(sends), 0) as cost_per_piece
        from runs
        where cost is not null and delivered > 0
        group by campaign, month, currency
    )

select *
from final
