-- One example of every field format. No campaign selects from it.
with
    profiles as (
        select
            *,
            -- Profiles have no telephone number. People write it into the second line.
            address_line2 as phone_number,
            upper(country_code) as country,
            language || '-' || upper(country_code) as locale
        from {{ ref("stg_profiles") }}
    ),

    final as (
        select
            profile_id,
            {{ dmail.person_name("title", "first_name", "last_name", "company") }} as full_name,
            {{ dmail.person_name("title", "first_name", "last_name", style="formal", case="proper") }} as formal_name,
            {{ dmail.person_name("title", "first_name", "last_name", "company", case="upper", max_length=16) }}
            as short_name,
            {{ dmail.person_name("title", "first_name", "last_name", "company", style="last_first") }} as sorted_name,
            {{ dmail.salutation("language", "title", "last_name", "first_name") }} as salutation,
            {{ dmail.proper_case("last_name") }} as proper_last_name,
            {{ dmail.upper_text("city") }} as postal_city,
            {{ dmail.to_ascii("last_name", german="language = 'de'") }} as ascii_last_name,
            {{ dmail.pad("postal_code", 10) }} as padded_postal_code,
            {{ dmail.pad("orders_count", 6, align="right", fill="0") }} as padded_orders_count,
            {{ dmail.format_date("last_order_at", "locale") }} as long_date,
            {{ dmail.format_date("last_order_at", "'de-DE'", style="short") }} as short_date,
            {{ dmail.format_date("last_order_at", style="iso") }} as iso_date,
            {{ dmail.format_number("orders_count", "locale") }} as orders,
            {{ dmail.format_money("lifetime_value", "'EUR'", "locale") }} as money,
            {{ dmail.format_money("lifetime_value", "'JPY'", "'ja-JP'") }} as yen,
            {{ dmail.phone("phone_number", "country") }} as phone,
            {{ dmail.key_code(["'s26'", "country_code", "profile_id"], length=20, separator="-", check="mod97") }}
            as key_code,
            {{ dmail.check_digit("profile_id") }} as check_digit,
            {{ dmail.piece_id() }} as piece_id
        from profiles
    )

select *
from final
