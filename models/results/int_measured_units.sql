-- Whom a campaign's results count: each household, or each person, once, in the cell of its first contact.
{% set days = dmail.response_days() %}
with
    contacts as (
        select contacts.*, sends.in_home_at, sends.piece_cost, sends.currency
        from ({{ dmail.measured_contacts() }}) as contacts
        inner join {{ ref("dmail", "int_sends") }} as sends on contacts.run_id = sends.run_id
    ),

    entries as (
        select
            campaign,
            household,
            run_id,
            cell,
            treatment,
            first_value(run_id) over (partition by campaign, household order by slot, run_id) as entry_run_id
        from contacts
    ),

    -- If the members of one household are in different cells of one file, the campaign draws persons.
    draws as (
        select campaign, case when max(cells) > 1 then 'person' else 'household' end as unit
        from
            (
                select campaign, household, count(distinct cell || coalesce(':' || treatment, '')) as cells
                from entries
                where run_id = entry_run_id
                group by campaign, household
            ) as counted
        group by campaign
    ),

    in_units as (
        select
            contacts.*,
            draws.unit,
            case when draws.unit = 'person' then contacts.profile_id else contacts.household end as unit_key
        from contacts
        inner join draws on contacts.campaign = draws.campaign
    ),

    {% set first = "over (partition by campaign, unit_key order by slot, run_id, profile_id)" %}
    with_entry as (
        select
            campaign,
            unit,
            unit_key,
            cell,
            slot,
            piece_cost,
            currency,
            first_value(cell) {{ first }} as entry_cell,
            first_value(treatment) {{ first }} as entry_treatment,
            first_value(in_home_at) {{ first }} as in_home_at
        from in_units
    ),

    final as (
        select
            campaign,
            unit,
            unit_key,
            entry_cell as cell,
            entry_treatment as treatment,
            in_home_at,
            in_home_at + interval {{ days }} day as ends_at,
            sum(case when cell = 'mailed' and slot < in_home_at + interval {{ days }} day then 1 else 0 end) as pieces,
            sum(case when cell = 'mailed' and slot < in_home_at + interval {{ days }} day then piece_cost end) as cost,
            min(currency) as cost_currency,
            max(currency) as other_cost_currency
        from with_entry
        group by campaign, unit, unit_key, entry_cell, entry_treatment, in_home_at
    )

select *
from final
