-- The notice: the address block, the day and the fee as people in the member's country write them.
with
    pieces as ({{ dmail.pieces(ref("renewal_notice__audience"), ref("renewal_notice__recipients")) }}),

    final as (
        select
            profile_id,
            {{ dmail.address_block(lines=6, sender_country="DE", language="de") }},
            {{ dmail.format_date("renews_on", "locale") }} as renews_on,
            {{ dmail.format_money("fee", "currency", "locale") }} as fee,
            {{ dmail.key_code(["profile_id"], check="mod97") }} as payment_code,
            country_code
        from pieces
    )

select *
from final
