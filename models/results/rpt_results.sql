-- One row per campaign and cell: what the mailings have brought, compared with the control group. Without keys of
-- people.
with
    units as (select * from {{ ref("dmail", "int_measured_units") }}),

    answers as (
        select
            campaign,
            unit_key,
            count(*) as responses,
            coalesce(sum(cast(amount as double)), 0) as amount,
            min(currency) as currency,
            max(currency) as other_currency
        from {{ ref("dmail", "int_measured_responses") }}
        group by campaign, unit_key
    ),

    measured as (
        select
            units.*,
            coalesce(answers.responses, 0) as responses,
            coalesce(answers.amount, 0) as amount,
            answers.currency as amount_currency,
            answers.other_currency as other_amount_currency
        from units
        left join answers on units.campaign = answers.campaign and units.unit_key = answers.unit_key
    ),

    -- Each treatment, and all treatments together.
    in_cells as (
        select *, treatment as cell_name
        from measured
        union all
        select *, cast(null as string) as cell_name
        from measured
        where cell = 'mailed' and treatment is not null
    ),

    cells as (
        select
            campaign,
            cell,
            cell_name as treatment,
            max(unit) as unit,
            min(in_home_at) as first_in_home_at,
            max(ends_at) as last_window_ends_at,
            count(*) as units,
            sum(pieces) as pieces,
            sum(case when responses > 0 then 1 else 0 end) as responders,
            sum(responses) as responses,
            sum(amount) as revenue,
            avg(amount) as mean_revenue,
            var_samp(amount) as variance,
            min(amount_currency) as currency,
            max(other_amount_currency) as other_currency,
            sum(cost) as cost,
            sum(case when pieces > 0 and cost is null then 1 else 0 end) as without_cost,
            min(cost_currency) as cost_currency,
            max(other_cost_currency) as other_cost_currency
        from in_cells
        group by campaign, cell, cell_name
    ),

    -- Amounts of several currencies are not added.
    of_one_currency as (
        select campaign, coalesce(min(currency) = max(other_currency), false) as has_revenue, min(currency) as currency
        from cells
        group by campaign
    ),

    with_rates as (
        select
            cells.*,
            responders / cast(units as double) as response_rate,
            {{ dmail.wilson_bound("responders", "units", "-") }} as response_rate_low,
            {{ dmail.wilson_bound("responders", "units", "+") }} as response_rate_high
        from cells
    ),

    control as (
        select
            campaign,
            units as control_units,
            responders as control_responders,
            response_rate as control_rate,
            response_rate_low as control_rate_low,
            response_rate_high as control_rate_high,
            mean_revenue as control_revenue,
            variance as control_variance
        from with_rates
        where cell = 'holdout'
    ),

    compared as (
        select
            with_rates.*,
            of_one_currency.currency as campaign_currency,
            of_one_currency.has_revenue,
            without_cost = 0 and cost_currency is not distinct from other_cost_currency as has_cost,
            control_rate,
            control_rate_low,
            control_rate_high,
            mean_revenue - control_revenue as revenue_lift,
            {{ dmail.z_95() }} * sqrt(variance / units + control_variance / control_units) as revenue_margin,
            case
                when with_rates.cell = 'mailed'
                then {{ dmail.comparability("units", "responders", "control_units", "control_responders") }}
            end as verdict
        from with_rates
        left join of_one_currency on with_rates.campaign = of_one_currency.campaign
        left join control on with_rates.campaign = control.campaign
    ),

    with_lift as (
        select
            *,
            case when verdict = 'measured' then response_rate - control_rate end as lift,
            case
                when verdict = 'measured' then {{ dmail.newcombe_bound("response_rate", "control_rate", "-") }}
            end as lift_low,
            case
                when verdict = 'measured' then {{ dmail.newcombe_bound("response_rate", "control_rate", "+") }}
            end as lift_high,
            case when verdict = 'measured' and has_revenue then revenue_lift * units end as incremental_revenue,
            case when verdict = 'measured' and has_revenue then revenue_margin * units end as margin
        from compared
    ),

    final as (
        select
            campaign,
            cell,
            treatment,
            unit,
            first_in_home_at,
            last_window_ends_at,
            units,
            pieces,
            responders,
            responses,
            response_rate,
            response_rate_low,
            response_rate_high,
            case when has_revenue then revenue end as revenue,
            case when has_revenue then campaign_currency end as currency,
            case when has_cost and pieces > 0 then cost end as cost,
            case when has_cost and pieces > 0 then cost_currency end as cost_currency,
            verdict,
            lift,
            lift_low,
            lift_high,
            lift * units as incremental_responders,
            lift_low * units as incremental_responders_low,
            lift_high * units as incremental_responders_high,
            -- Without an effect that is proven, a cost of each of its responders would be a number without a meaning.
            case when has_cost and lift_low > 0 then cost / (lift * units) end as cost_per_incremental_responder,
            incremental_revenue,
            incremental_revenue - margin as incremental_revenue_low,
            incremental_revenue + margin as incremental_revenue_high,
            case
                when has_cost and cost > 0 and cost_currency = campaign_currency then incremental_revenue / cost
            end as return_on_spend
        from with_lift
    )

select *
from final
