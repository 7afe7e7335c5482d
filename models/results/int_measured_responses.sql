-- The responses of the measured units within their window. Only responses that name their profile count: a control
-- group has no pieces and codes to name.
{% set households = dmail.households() %}
{% set columns = "units.campaign, units.unit_key, units.cell, units.treatment, units.in_home_at, units.ends_at" %}
with
    responses as (select * from {{ dmail.responses() }} where profile_id is not null),

    units as (select * from {{ ref("dmail", "int_measured_units") }}),

    contacts as (
        select *, row_number() over (partition by campaign, profile_id order by slot, run_id) as contact_number
        from ({{ dmail.measured_contacts() }}) as contacts
        where profile_id in (select profile_id from responses)
    ),

    contacted as (
        select profile_id, campaign, 'person' as unit, profile_id as unit_key
        from contacts
        where contact_number = 1
        union all
        select profile_id, campaign, 'household' as unit, household as unit_key
        from contacts
        where contact_number = 1
    ),

    matched as (
        select responses.*, 'person' as matched_by, {{ columns }}
        from responses
        inner join contacted on responses.profile_id = contacted.profile_id
        inner join
            units
            on contacted.campaign = units.campaign
            and contacted.unit = units.unit
            and contacted.unit_key = units.unit_key
        {% if households %}
            union all
            select responses.*, 'household' as matched_by, {{ columns }}
            from responses
            inner join {{ households }} as members on responses.profile_id = members.profile_id
            inner join units on members.household_key = units.unit_key and units.unit = 'household'
            left join
                contacted
                on responses.profile_id = contacted.profile_id
                and units.campaign = contacted.campaign
                and contacted.unit = 'household'
            where contacted.profile_id is null
        {% endif %}
    ),

    final as (
        select
            campaign,
            unit_key,
            cell,
            treatment,
            matched_by,
            response_id,
            happened_at,
            amount,
            currency,
            {{ dbt.datediff("cast(in_home_at as date)", "cast(happened_at as date)", "day") }} as day_number
        from matched
        where happened_at >= in_home_at and happened_at < ends_at
    )

select *
from final
