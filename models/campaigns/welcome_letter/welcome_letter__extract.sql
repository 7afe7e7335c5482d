-- A letter in the customer's language.
with
    pieces as ({{ dmail.pieces(ref("welcome_letter__audience"), ref("welcome_letter__recipients")) }}),

    final as (
        select
            profile_id,
            language,
            {{ dmail.salutation("language", "title", "last_name", first_name="first_name") }} as greeting,
            {{ dmail.address_block(lines=7, sender_country="US") }},
            {{ dmail.format_date("created_at", "language") }} as customer_since,
            piece_id,
            country_code
        from pieces
    )

select *
from final
