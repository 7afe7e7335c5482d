-- Responses with the mailing that they answer: by the piece or code that the customer named, and by the last mailing
-- of the person, or else of the household.
{% set households = dmail.households() %}
with
    responses as (select * from {{ dmail.responses() }}),

    contacts as (select * from {{ dmail.role_model("contact_history") }} where cell in ('mailed', 'holdout')),

    pieces as ({{ dmail.mailed_pieces() }}),

    codes as (
        select key_code, campaign, run_id, min(slot) as slot
        from pieces
        where key_code is not null
        group by key_code, campaign, run_id
    ),

    -- What the customer has named. Nobody in the control group can name anything.
    named as (
        select responses.response_id, 1 as preference, 'piece' as named_by, pieces.run_id, pieces.slot
        from responses
        inner join pieces on upper(responses.piece_id) = pieces.match_id
        union all
        {%- if dmail.has_purls() %}
            select responses.response_id, 2 as preference, 'purl' as named_by, pieces.run_id, pieces.slot
            from responses
            inner join pieces on {{ dmail.purl_hash("responses.purl") }} = pieces.purl_hash
            union all
        {%- endif %}
        select responses.response_id, 3 as preference, 'key_code' as named_by, codes.run_id, codes.slot
        from responses
        inner join codes on upper(responses.key_code) = upper(codes.key_code)
        where codes.slot <= responses.happened_at
    ),

    named_run as (
        select *
        from
            (
                select
                    *,
                    row_number() over (partition by response_id order by preference, slot desc, run_id desc) as choice
                from named
            ) as numbered
        where choice = 1
    ),

    -- Whoever was mailed or held out counts for their last send before the response, so that both groups are measured
    -- alike. Other members of the household count if they have no contact of their own.
    {% set within %}
        sends.in_home_at <= responses.happened_at
        and responses.happened_at < sends.in_home_at + interval {{ dmail.response_days() }} day
    {% endset %}
    matched as (
        select
            responses.response_id,
            1 as preference,
            'person' as matched_by,
            contacts.run_id,
            contacts.cell,
            contacts.treatment,
            contacts.slot
        from responses
        inner join contacts on responses.profile_id = contacts.profile_id
        inner join {{ ref("dmail", "int_sends") }} as sends on contacts.run_id = sends.run_id
        where {{ within }}
        {% if households %}
            union all
            select
                responses.response_id,
                2 as preference,
                'household' as matched_by,
                contacts.run_id,
                contacts.cell,
                contacts.treatment,
                contacts.slot
            from responses
            inner join {{ households }} as members on responses.profile_id = members.profile_id
            inner join contacts on members.household_key = contacts.household_key
            inner join {{ ref("dmail", "int_sends") }} as sends on contacts.run_id = sends.run_id
            where {{ within }}
        {% endif %}
    ),

    last_contact as (
        select *
        from
            (
                select
                    *,
                    row_number() over (partition by response_id order by preference, slot desc, run_id desc) as choice
                from matched
            ) as numbered
        where choice = 1
    ),

    final as (
        select
            responses.response_id,
            responses.profile_id,
            responses.happened_at,
            responses.amount,
            responses.currency,
            named_run.run_id as named_run_id,
            named_run.named_by,
            last_contact.run_id as last_run_id,
            last_contact.cell as last_cell,
            last_contact.treatment as last_treatment,
            coalesce(
                named_run.run_id, case when last_contact.cell = 'mailed' then last_contact.run_id end
            ) as attributed_run_id,
            coalesce(
                named_run.named_by, case when last_contact.cell = 'mailed' then last_contact.matched_by end
            ) as attributed_by
        from responses
        left join named_run on responses.response_id = named_run.response_id
        left join last_contact on responses.response_id = last_contact.response_id
    )

select *
from final
