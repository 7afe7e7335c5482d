-- The file, column for column. The macros in macros/format of the package print fields in other forms.
-- With seeds=ref(MODEL), pieces() adds the addresses of that model, such as your own.
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
%% if "title" in columns
            {{ dmail.join_words(["title", "first_name", "last_name"]) }} as full_name,
%% else
            {{ dmail.join_words(["first_name", "last_name"]) }} as full_name,
%% endif
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
