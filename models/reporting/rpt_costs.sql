-- One row per campaign, month of the slot, order and currency: what its delivered mailings cost by the tariff and by
-- invoices.
with
    runs as (
        select * from {{ ref("rpt_runs") }} where delivered > 0 and (cost is not null or purchase_order is not null)
    ),

    files as (
        select run_id, file_name
        from {{ ref("rpt_parts") }}
        union
        select run_id, regexp_replace(file_name, '^.*/', '') as file_name
        from {{ ref("rpt_parts") }}
    ),

    invoices as (
        select *, coalesce(amount, coalesce(production, 0) + coalesce(postage, 0)) as total
        from ({{ dmail.invoices() }}) as received
        where coalesce(amount, production, postage) is not null
    ),

    of_runs as (
        select
            coalesce(invoices.run_id, files.run_id) as run_id,
            invoices.production,
            invoices.postage,
            invoices.total,
            upper(invoices.currency) as currency
        from invoices
        left join files on invoices.file_name = files.file_name
    ),

    -- An invoice that names only the campaign is for its last run before it.
    of_campaigns as (
        select
            runs.run_id,
            invoices.production,
            invoices.postage,
            invoices.total,
            upper(invoices.currency) as currency,
            row_number() over (
                partition by invoices.entry, invoices.file, invoices.row_number
                order by runs.slot_at desc, runs.run_id desc
            ) as age
        from invoices
        inner join
            runs
            on invoices.campaign = runs.campaign
            and (invoices.happened_at is null or runs.slot_at <= invoices.happened_at)
        where invoices.run_id is null and invoices.file_name is null
    ),

    lines as (
        select run_id, production, postage, total, currency
        from of_runs
        union all
        select run_id, production, postage, total, currency
        from of_campaigns
        where age = 1
    ),

    -- Amounts of several currencies are not added: those in another currency than the tariff are left out, and counted.
    billed as (
        select
            lines.run_id,
            sum(
                case when coalesce(lines.currency, runs.currency) = runs.currency then lines.production end
            ) as production,
            sum(case when coalesce(lines.currency, runs.currency) = runs.currency then lines.postage end) as postage,
            sum(case when coalesce(lines.currency, runs.currency) = runs.currency then lines.total end) as total,
            sum(case when lines.currency <> runs.currency then 1 else 0 end) as foreign_lines
        from lines
        inner join runs on lines.run_id = runs.run_id
        group by lines.run_id
    ),

    final as (
        select
            runs.campaign,
            cast({{ dbt.date_trunc("month", "runs.slot_at") }} as date) as month,
            runs.purchase_order,
            runs.cost_centre,
            runs.currency,
            count(*) as runs,
            sum(runs.sends) as sends,
            sum(runs.cost) as cost,
            sum(runs.cost) / nullif(sum(runs.sends), 0) as cost_per_piece,
            sum(runs.production) as production,
            sum(runs.postage) as postage,
            count(billed.total) as billed_runs,
            sum(billed.total) as billed,
            sum(billed.production) as billed_production,
            sum(billed.postage) as billed_postage,
            sum(coalesce(billed.foreign_lines, 0)) as foreign_lines
        from runs
        left join billed on runs.run_id = billed.run_id
        group by runs.campaign, month, runs.purchase_order, runs.cost_centre, runs.currency
    )

select *
from final
