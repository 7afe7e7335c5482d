-- The blocks that address_block() prints, on six lines and as one text. No campaign selects from it.
with
    addresses as (select * from {{ ref("int_postal_addresses") }}),

    final as (
        select
            profile_id,
            {{ dmail.address_block(lines=6, sender_country="US", language="en") }},
            {{ dmail.address_block_text(separator=" / ", sender_country="DE", language="de") }} as address_text
        from addresses
    )

select *
from final
