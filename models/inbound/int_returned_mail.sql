-- Returned mail as entries of the suppression list `returned_mail`. Each reason has its own effect:
-- docs/howto/returns.md.
with
    returned as (select * from {{ ref("dmail", "int_returned_pieces") }} where profile_id is not null),

    -- An address that does not exist is suppressed for everybody, and a name only at this address. When the person has
    -- another address, neither matches.
    judged as (
        select
            *,
            case
                when reason in ('deceased', 'refused')
                then 'person'
                when reason = 'no_such_address' and address_key is not null
                then 'address'
                when person_key is not null
                then 'name'
                else 'person'
            end as effect
        from returned
    ),

    final as (
        select
            'returned_mail' as list_name,
            'returned: ' || reason as reason,
            case when effect = 'person' then profile_id end as profile_id,
            case when effect = 'name' then person_key end as person_key,
            case when effect = 'address' then address_key end as address_key,
            case when reason = 'temporary' then coalesce(happened_at, received_at) + interval 90 day end as valid_until
        from judged
    )

select distinct *
from final
