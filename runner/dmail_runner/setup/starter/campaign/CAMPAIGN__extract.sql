-- The file, column for column. The macros in macros/format of the package print fields in other forms.
-- With seeds=ref("int_seed_addresses"), pieces() adds our own addresses.
with
    pieces as (
        {{
            dmail.pieces(
                ref("CAMPAIGN__audience"),
                ref("CAMPAIGN__recipients"),
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
            piece_id,
            country_code
        from pieces
    )

select *
from final
