-- One row per run: when its pieces were in the homes, and what a piece has cost.
with
    contacts as (select * from {{ dmail.role_model("contact_history") }} where cell <> 'expired'),

    sends as (
        select run_id, campaign, min(slot) as slot, count(case when cell = 'mailed' then 1 end) as pieces
        from contacts
        group by run_id, campaign
    ),

    pieces as ({{ dmail.mailed_pieces() }}),

    files as (
        select run_id, file_name
        from {{ ref("dmail", "rpt_parts") }}
        union
        select run_id, regexp_replace(file_name, '^.*/', '') as file_name
        from {{ ref("dmail", "rpt_parts") }}
    ),

    mailed_days as (
        select coalesce(reports.run_id, files.run_id, pieces.run_id) as run_id, min(reports.happened_at) as mailed_at
        from {{ ref("dmail", "stg_acknowledgements") }} as reports
        left join files on reports.file_name = files.file_name
        left join pieces on upper(reports.piece_id) = pieces.match_id
        where reports.status = 'mailed'
        group by coalesce(reports.run_id, files.run_id, pieces.run_id)
    ),

    -- An event before the slot is an error of the file.
    first_deliveries as (
        select pieces.run_id, min(events.happened_at) as delivered_at
        from {{ ref("dmail", "stg_delivery_status") }} as events
        inner join pieces on upper(events.piece_id) = pieces.match_id
        where events.status = 'delivered' and events.happened_at >= pieces.slot
        group by pieces.run_id
    ),

    billed as (
        select
            coalesce(invoices.run_id, files.run_id) as run_id,
            case when count(distinct invoices.currency) = 1 then sum(invoices.amount) end as amount,
            min(invoices.currency) as currency
        from {{ ref("dmail", "stg_invoices") }} as invoices
        left join files on invoices.file_name = files.file_name
        group by coalesce(invoices.run_id, files.run_id)
    ),

    estimated as (select run_id, cost, currency from {{ ref("dmail", "rpt_runs") }}),

    final as (
        select
            sends.run_id,
            sends.campaign,
            sends.slot,
            sends.pieces,
            coalesce(
                first_deliveries.delivered_at, greatest(mailed_days.mailed_at, sends.slot), sends.slot
            ) as in_home_at,
            case
                when first_deliveries.run_id is not null
                then 'delivered'
                when mailed_days.mailed_at is not null
                then 'mailed'
                else 'slot'
            end as in_home_by,
            coalesce(billed.amount, estimated.cost) / cast(nullif(sends.pieces, 0) as double) as piece_cost,
            case when billed.amount is not null then billed.currency else estimated.currency end as currency
        from sends
        left join first_deliveries on sends.run_id = first_deliveries.run_id
        left join mailed_days on sends.run_id = mailed_days.run_id
        left join billed on sends.run_id = billed.run_id
        left join estimated on sends.run_id = estimated.run_id
    )

select *
from final
