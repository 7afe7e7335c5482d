{#
    People with one postal address each, normalised and validated, and the keys by which they are matched. All other columns are
    passed on. It adds or replaces the columns of `keyed_addresses()`, and

        earlier_household_key           the household key of the first version, while the contact history has such keys

    Arguments:
        people (relation): People with the name and address columns of `stg_profiles`.
        answers (optional[relation]): As for `keyed_addresses()`.
#}
{% macro postal_addresses(people, answers=none) %}
    {{ dmail.with_earlier_keys("(" ~ dmail.keyed_addresses(people, answers) ~ ")") }}
{% endmacro %}

{#
    The part of `postal_addresses()` that depends on nothing but the people. A project with many campaigns makes a table of it that
    is kept between runs (`kept: true`), so that a person's keys are computed once, and not once for each campaign. It adds or replaces:

        country_code, postal_code       normalised; a missing country is the variable `home_country`
        full_name                       first and last name
        country_name, country_names     the country in English, and in the languages of the senders
        address_format, capital_fields, postal_code_prefix
                                        how the country's post prints an address, for `address_block()`
        printed_region                  the region as the country's post writes it (`printed_region()`)
        address_problem                 the first of `address_problems()` that the address has, or null
        all_address_problems            every one of them, each between two semicolons, or null
        address_lines                   the number of its lines without the country
        person_key, household_key, address_key
                                        the same for rows of the same person, household or address (`match_keys()`)

    Arguments:
        people (relation): People with the name and address columns of `stg_profiles`.
        answers (optional[relation]): The model with the role `address_services`, such as ref("int_address_services"). People who have
            moved then have their new address, and two more columns: see `with_new_addresses()`. By default, addresses are as given.
#}
{% macro keyed_addresses(people, answers=none) %}
    with
        profiles as (
            {% if answers %}{{ dmail.with_new_addresses(people, answers) }}
            {% else %}select * from {{ people }}
            {% endif %}
        ),

        posts as (select * from {{ ref("dmail", "dmail_posts") }}),

        located as ({{ dmail.located_people("profiles") }}),

        normalised as (select located.*, {{ dmail.join_words(["first_name", "last_name"]) }} as full_name from located),

        placed as (
            select
                normalised.*,
                {{ dmail.star_except(["country_code"], "posts") }},
                regions.region_key,
                postal_regions.region_keys as postal_region_keys,
                {{ dmail.is_placeholder("first_name") }}
                or {{ dmail.is_placeholder("last_name") }}
                or normalised.full_name is null
                and {{ dmail.is_placeholder("company") }} as has_placeholder_name,
                {{ dmail.is_placeholder("address_line1") }}
                or {{ dmail.is_placeholder("address_line2") }} as has_placeholder_line,
                {{ dmail.is_placeholder("city") }} as has_placeholder_city,
                {{ dmail.is_placeholder("postal_code") }} as has_placeholder_code
            from normalised
            left join {{ dmail.small("posts") }} as posts on normalised.country_code = posts.country_code
            left join
                {{ dmail.small(ref("dmail", "regions")) }} as regions
                on normalised.country_code = regions.country_code
                and {{ dmail.region_spelling("normalised.region") }} = regions.region
            left join
                {{ dmail.small(ref("dmail", "postal_regions")) }} as postal_regions
                on normalised.country_code = postal_regions.country_code
                and left(normalised.postal_code, 3) = postal_regions.postal_prefix
            cross join {{ ref("dmail", "dmail_dictionaries") }} as dictionaries
        ),

        judged as (
            select
                {{ dmail.star_except(dmail.post_columns(), "placed") }},
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
                {{ dmail.printed_region() }} as printed_region,
                case
                    {% for problem, condition in dmail.address_problems() %}
                        when {{ condition }} then '{{ problem }}'
                    {% endfor %}
                end as address_problem,
                nullif(
                    concat(
                        {% for problem, condition in dmail.address_problems() %}
                            case when {{ condition }} then ';{{ problem }};' else '' end {{ "," if not loop.last }}
                        {% endfor %}
                    ),
                    ''
                ) as all_address_problems,
                {% for line in ["full_name", "company", "address_line1", "address_line2"] %}
                    case when {{ line }} is null then 0 else 1 end +
                {% endfor %} 1 as address_lines
            from placed
        ),

        final as ({{ dmail.match_keys("judged") }})

    select *
    from final
{% endmacro %}

{#
    Addresses with `earlier_household_key`, which is null unless the contact history has keys of the first version.

    Arguments:
        addresses (relation): What `keyed_addresses()` returns.
#}
{% macro with_earlier_keys(addresses) %}
    with
        keyed as (select * from {{ addresses }} as addresses),

        earlier as (
            select count(*) > 0 as has_earlier_keys
            from {{ dmail.role_model("contact_history") }}
            where {{ dmail.is_earlier_key("household_key") }}
        ),

        final as (
            select
                keyed.*,
                case
                    when has_earlier_keys
                    then
                        {{
                            dmail.earlier_household_key(
                                "last_name",
                                "first_name",
                                "company",
                                "address_line1",
                                "address_line2",
                                "city",
                                "postal_code",
                                "country_code",
                            )
                        }}
                end as earlier_household_key
            from keyed
            cross join earlier
        )

    select *
    from final
{% endmacro %}

{#
    People with `country_code` and `postal_code` normalised: a query with all columns of the relation.

    Arguments:
        people (relation): People with `country_code` and `postal_code`.
#}
{% macro located_people(people) %}
    with
        in_countries as (
            select
                {{ dmail.star_except(["country_code"]) }},
                {{ dmail.country_code("coalesce(country_code, '" ~ var("home_country") ~ "')") }} as country_code
            from {{ people }}
        )

    select
        {{ dmail.star_except(["postal_code"]) }}, {{ dmail.postal_code("postal_code", "country_code") }} as postal_code
    from in_countries
{% endmacro %}

{# The columns that `keyed_addresses()` needs to judge an address, and does not return. #}
{% macro post_columns() %}
    {{
        return(
            [
                "address_format",
                "latin_address_format",
                "requires_line",
                "requires_city",
                "requires_region",
                "requires_postal_code",
                "postal_code_pattern",
                "postal_code_examples",
                "has_regions",
                "region_key",
                "postal_region_keys",
                "has_placeholder_name",
                "has_placeholder_line",
                "has_placeholder_city",
                "has_placeholder_code",
            ]
        )
    }}
{% endmacro %}
