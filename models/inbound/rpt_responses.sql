-- One row per run and cell: the people, how many of them responded afterwards, and with what value. Without profiles'
-- keys.
with
    contacts as (select * from {{ dmail.role_model("contact_history") }}),

    responses as (select * from {{ ref("dmail", "int_responses") }} where last_run_id is not null),

    people as (
        select run_id, campaign, slot as slot_at, cell, treatment, count(distinct profile_id) as people
        from contacts
        where cell in ('mailed', 'holdout')
        group by run_id, campaign, slot, cell, treatment
    ),

    answers as (
        select
            last_run_id,
            last_cell,
            last_treatment,
            count(distinct profile_id) as responders,
            count(*) as responses,
            sum(case when named_run_id = last_run_id then 1 else 0 end) as named_it,
            -- Amounts of several currencies cannot be added.
            case when min(currency) is not distinct from max(currency) then sum(amount) end as amount,
            case when min(currency) is not distinct from max(currency) then min(currency) end as currency
        from responses
        group by last_run_id, last_cell, last_treatment
    ),

    final as (
        select
            people.run_id,
            people.campaign,
            people.slot_at,
            people.cell,
            people.treatment,
            people.people,
            coalesce(answers.responders, 0) as responders,
            coalesce(answers.responses, 0) as responses,
            coalesce(answers.named_it, 0) as named_it,
            answers.amount,
            answers.currency,
            coalesce(answers.responders, 0) / cast(people.people as double) as response_rate
        from people
        left join
            answers
            on people.run_id = answers.last_run_id
            and people.cell = answers.last_cell
            and people.treatment is not distinct from answers.last_treatment
    )

select *
from final
