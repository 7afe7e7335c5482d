{#
    People with one postal address each, normalised and validated, and the keys by which they are matched. All other columns are
    passed on. It adds or replaces:

        country_code, postal_code       normalised; a missing country is the variable `home_country`
        full_name                       first and last name
        country_name, country_names     the country in English, and in the languages of the senders
        address_format, capital_fields, postal_code_prefix
                                        how the country's post prints an address, for `address_block()`
        address_problem, address_lines  what the address lacks, or null; its lines without the country
        person_key, household_key, address_key
                                        the same for rows of the same person, household or address

    Arguments:
        people (relation): People with the name and address columns of `stg_profiles`.
#}
{% macro postal_addresses(people) %}
    with
        profiles as (select * from {{ people }}),

        countries as (select * from {{ ref("dmail", "countries") }}),

        names as (
            select country_code, {{ dmail.entries_by_key("language", "country_name") }} as country_names
            from {{ ref("dmail", "country_names") }}
            group by country_code
        ),

        posts as (
            select countries.*, names.country_names
            from countries
            left join names on countries.country_code = names.country_code
        ),

        located as (
            select
                {{ dmail.star_except(["country_code"]) }},
                {{ dmail.country_code("coalesce(country_code, '" ~ var("home_country") ~ "')") }} as country_code
            from profiles
        ),

        normalised as (
            select
                {{ dmail.star_except(["postal_code"]) }},
                {{ dmail.postal_code("postal_code", "country_code") }} as postal_code,
                {{ dmail.join_words(["first_name", "last_name"]) }} as full_name
            from located
        ),

        judged as (
            select
                normalised.*,
                posts.country_name,
                posts.country_names,
                posts.capital_fields,
                posts.postal_code_prefix,
                case
                    when latin_address_format is null
                    then address_format
                    when
                        {{
                            dmail.matches(
                                "concat_ws(' ', address_line1, city, region)",
                                "[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Thai}]",
                            )
                        }}
                    then address_format
                    else latin_address_format
                end as address_format,
                case
                    when coalesce(full_name, company) is null
                    then 'no name'
                    when country_name is null
                    then 'unknown country'
                    when requires_line and address_line1 is null
                    then 'no address line'
                    when requires_city and city is null
                    then 'no city'
                    -- Where the post requires a region and no city (Hong Kong, the Emirates), people write the region
                    -- into
                    -- the city.
                    when requires_region and region is null and (requires_city or city is null)
                    then 'no region'
                    when requires_postal_code and postal_code is null
                    then 'no postal code'
                    when not {{ dmail.is_postal_code("postal_code", "postal_code_pattern") }}
                    then 'postal code not of its country'
                end as address_problem,
                {% for line in ["full_name", "company", "address_line1", "address_line2"] %}
                    case when {{ line }} is null then 0 else 1 end +
                {% endfor %} 1 as address_lines
            from normalised
            left join posts on normalised.country_code = posts.country_code
        ),

        worded as (
            select
                *,
                {{ dmail.name_words("first_name") }} as first_words,
                {{ dmail.name_words("last_name") }} as last_words,
                {{ dmail.box_words("address_line1", "address_line2") }} as street,
                {{ dmail.locality_words("city", "postal_code", "country_code") }} as locality
            from judged
        ),

        named as (
            select
                {{ dmail.star_except(["first_words", "last_words"]) }},
                case
                    when full_name is not null
                    then nullif(concat(coalesce(first_words, ''), coalesce(last_words, '')), '')
                    else {{ dmail.name_words("company") }}
                end as person_words,
                case
                    when last_name is not null
                    then last_words
                    when first_name is not null
                    then first_words
                    else {{ dmail.name_words("company") }}
                end as household_words
            from worded
        ),

        final as (
            select
                {{ dmail.star_except(["person_words", "household_words", "street", "locality"]) }},
                {{ dmail.match_key(["person_words", "street", "locality"]) }} as person_key,
                {{ dmail.match_key(["household_words", "street", "locality"]) }} as household_key,
                {{ dmail.match_key(["street", "locality"]) }} as address_key
            from named
        )

    select *
    from final
{% endmacro %}
