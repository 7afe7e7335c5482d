{#
    People with the keys by which they are recognised: a query with all columns of the relation, and

        person_key     the same for rows with the same name at the same address
        household_key  the same for rows with the same last name (of a company, the same company) at the same address
        address_key    the same for rows with the same street, unit and postal code

    A key does not depend on case, accents, punctuation, or on how street types, directions, numbers, units, post boxes, titles and middle
    names are spelled (the seed `match_words`):

        Müller, 12 N Oak St, Apt. 4-B   =   MUELLER, 12 North Oak Street #4B

    A son (`Jr.`) is another person than his father. A key is null if the name, or the street, is unknown, so that nobody counts as the
    duplicate of an unknown person. With the variable `names_in_any_order`, first and last names may be swapped.

    A key begins with its version, `v2-`. Keys of the first version have none; see `earlier_household_key()`.

    Arguments:
        people (relation): Rows with `first_name`, `last_name`, `company`, `address_line1`, `address_line2`, `city`, `postal_code` as
            `postal_code()` prints it, and `country_code`.
#}
{% macro match_keys(people) %}
    with
        worded as ({{ dmail.match_words(people) }}),

        final as (
            select
                {{ dmail.star_except(dmail.match_columns(), "worded") }},
                {{ dmail.match_key(["match_person", "match_street", "match_locality"]) }} as person_key,
                {{ dmail.match_key(["match_household", "match_street", "match_locality"]) }} as household_key,
                {{ dmail.match_key(["match_street", "match_locality"]) }} as address_key
            from worded
        )

    select *
    from final
{% endmacro %}

{#
    A key: its version and 16 hexadecimal digits. It is null if a part is null.

    Arguments:
        parts (list[column]): What the key is made of.
#}
{% macro match_key(parts) %} 'v2-' || substr(md5({{ parts | join(" || '|' || ") }}), 1, 16) {% endmacro %}

{# The columns that `match_words()` adds. #}
{% macro match_columns() %}
    {{
        return(
            [
                "match_given",
                "match_family",
                "match_generation",
                "match_person",
                "match_household",
                "match_street",
                "match_locality",
            ]
        )
    }}
{% endmacro %}

{#
    People with the words that their keys are made of (`match_columns()`).

    Arguments:
        people (relation): As in `match_keys()`.
        extra (list[string]): Columns of `match_helpers()` to return, too.
#}
{% macro match_words(people, extra=[]) %}
    {% set texts = ["first_name", "last_name", "address_line1", "address_line2"] %}
    {% set firm = "replace(" ~ dmail.plain_name(dmail.without_accents(dmail.lower_case("company"))) ~ ", ' ', '')" %}
    with
        dictionaries as (
            select line_words, endings, unit_words, name_words from {{ ref("dmail", "dmail_dictionaries") }}
        ),

        bared as (
            select
                *,
                {% for text in texts %}
                    {{ dmail.without_accents(dmail.lower_case(text)) }} as bare_{{ text }} {{ "," if not loop.last }}
                {% endfor %}
            from {{ people }}
        ),

        plain as (
            select
                *,
                {{ dmail.plain_name("bare_first_name") }} as first_plain,
                {{ dmail.plain_name("bare_last_name") }} as last_plain,
                {{ dmail.line_words("bare_address_line1") }} as line1_plain,
                {{ dmail.line_words("bare_address_line2") }} as line2_plain
            from bared
        ),

        -- The street can be in the second line: below c/o, a unit or the name of a house.
        street_found as (
            select
                *,
                case
                    when line1_plain is null
                    then true
                    when line2_plain is null
                    then false
                    when {{ dmail.matches_whole("line1_plain", "[a-z ]+|[a-z]* ?[0-9]+[a-z]?") }}
                    then {{ dmail.matches("line2_plain", "^[0-9]+[a-z]? .*[a-z]{3}") }}
                    else false
                end as street_is_second
            from plain
        ),

        chosen as (
            select
                *,
                case
                    when {{ dmail.has_compounds("country_code") }}
                    then {{ dmail.short_vowels("case when street_is_second then line2_plain else line1_plain end") }}
                    when street_is_second
                    then line2_plain
                    else line1_plain
                end as street_plain,
                case when street_is_second then line1_plain else line2_plain end as unit_plain
            from street_found
        ),

        spelled as (
            select
                *,
                {{ dmail.name_words("first_plain") }} as first_words,
                {{ dmail.name_words("last_plain") }} as last_words,
                {{ dmail.street_words("street_plain", "country_code") }} as street_spelled,
                {{ dmail.unit_parts("unit_plain") }} as unit_spelled
            from chosen
            cross join dictionaries
        ),

        named as (
            select
                *,
                nullif({{ dmail.given_name("first_words") }}, '') as given,
                nullif({{ dmail.family_name("last_words") }}, '') as family,
                {{ dmail.generation("first_words", "last_words") }} as match_generation,
                nullif({{ dmail.tidy_words("concat_ws(' ', street_spelled, unit_spelled)") }}, '') as match_street,
                {{
                    dmail.locality_words(
                        dmail.without_accents(dmail.lower_case("city")), "postal_code", "country_code"
                    )
                }} as match_locality
            from spelled
        ),

        final as (
            select
                {{ dmail.star_except(dmail.match_helpers() | reject("in", extra) | list, "named") }},
                given as match_given,
                family as match_family,
                case
                    when first_name is not null or last_name is not null
                    then nullif(concat({{ dmail.name_in_order("given", "family") }}, match_generation), '')
                    else {{ firm }}
                end as match_person,
                case
                    when last_name is not null then family when first_name is not null then given else {{ firm }}
                end as match_household
            from named
        )

    select *
    from final
{% endmacro %}

{# The columns that `match_words()` needs on its way. #}
{% macro match_helpers() %}
    {% set columns = [
        "line_words",
        "endings",
        "unit_words",
        "name_words",
        "street_is_second",
        "given",
        "family",
    ] %}
    {% for text in ["first_name", "last_name", "address_line1", "address_line2"] %}
        {% do columns.append("bare_" ~ text) %}
    {% endfor %}
    {% for name in ["first", "last", "line1", "line2", "street", "unit"] %}
        {% do columns.append(name ~ "_plain") %}
    {% endfor %}
    {{ return(columns + ["first_words", "last_words", "street_spelled", "unit_spelled"]) }}
{% endmacro %}

{#
    First and last name as one text. With the variable `names_in_any_order`, the order does not matter.

    Arguments:
        first (column): The first name.
        last (column): The last name.
#}
{% macro name_in_order(first, last) -%}
    {%- if var("names_in_any_order", false) -%}
        coalesce(least({{ first }}, {{ last }}), ''), coalesce(greatest({{ first }}, {{ last }}), '')
    {%- else -%} coalesce({{ first }}, ''), coalesce({{ last }}, '')
    {%- endif -%}
{%- endmacro %}

{#
    The locality of a street: the country and the postal code (of US codes the first five digits), or the city if there is no code. If
    there is a code, the spelling of the city does not matter.

    Arguments:
        city (column): The city in small letters, without accents.
        postal_code (column): The postal code as `postal_code()` prints it.
        country_code (column): ISO 3166-1 alpha-2.
#}
{% macro locality_words(city, postal_code, country_code) -%}
    {{ country_code }} || coalesce(
        case
            when {{ country_code }} = 'US' then substr({{ postal_code }}, 1, 5) else replace({{ postal_code }}, ' ', '')
        end,
        replace({{ dmail.plain_name(city) }}, ' ', ''),
        ''
    )
{%- endmacro %}
