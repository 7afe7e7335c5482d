-- The printer's columns, one row per piece.
with
    pieces as (
        {{
            dmail.pieces(
                ref("spring_catalog__audience"),
                ref("spring_catalog__recipients"),
                seeds=ref("int_seed_addresses"),
            )
        }}
    ),

    final as (
        select
            profile_id,
            {{ dmail.join_words(["title", "first_name", "last_name"]) }} as full_name,
            company,
            address_line1,
            address_line2,
            city,
            region,
            postal_code,
            upper(country_name) as country,
            country_code,
            language,
            {{ dmail.key_code(["'SPRING'", "country_code"], separator="-") }} as key_code,
            piece_id,
            is_seed
        from pieces
    )

select *
from final
