-- Two offers for each household, the best first.
with
    pieces as ({{ dmail.pieces(ref("loyalty_offer__audience"), ref("loyalty_offer__recipients")) }}),

    offers as (
        {{
            dmail.best_offers(
                pieces="pieces",
                offers=ref("loyalty_offers"),
                eligible="piece.orders_count >= offer.min_orders and piece.lifetime_value >= offer.min_value",
                rank="offer.priority",
                best=2,
                columns=["headline"],
                fallback="thanks",
            )
        }}
    ),

    final as (
        select
            pieces.profile_id,
            {{ dmail.person_name("title", "first_name", "last_name", "company", max_length=40) }} as full_name,
            address_line1,
            address_line2,
            city,
            region,
            postal_code,
            offer_1,
            offer_1_headline,
            offer_2,
            offer_2_headline,
            {{ dmail.key_code(["'LOY'", "offer_1"]) }} as key_code,
            piece_id,
            country_code
        from pieces
        inner join offers on pieces.profile_id = offers.profile_id
    )

select *
from final
