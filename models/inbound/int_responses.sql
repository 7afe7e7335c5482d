-- Responses with the mailing that they answer: by the piece or code that the customer named, and by the person's last
-- mailing.
{% set days = var("dmail_response_days", 90) | int %}
with
    responses as (select * from {{ ref("dmail", "stg_responses") }}),

    contacts as (select * from {{ dmail.role_model("contact_history") }}),

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
        select responses.response_id, 2 as preference, 'key_code' as named_by, codes.run_id, codes.slot
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

    -- Whoever was mailed or held out counts for their last slot before the response, so that both groups are measured
    -- alike.
    last_contact as (
        select *
        from
            (
                select
                    responses.response_id,
                    contacts.run_id,
                    contacts.cell,
                    contacts.treatment,
                    row_number() over (
                        partition by responses.response_id order by contacts.slot desc, contacts.run_id desc
                    ) as choice
                from responses
                inner join contacts on responses.profile_id = contacts.profile_id
                where
                    contacts.slot <= responses.happened_at
                    and responses.happened_at < contacts.slot + interval {{ days }} day
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
            last_contact.treatment as last_treatment
        from responses
        left join named_run on responses.response_id = named_run.response_id
        left join last_contact on responses.response_id = last_contact.response_id
    )

select *
from final
