{#
    What can be wrong with an address: a list of [problem, condition], in the order in which `address_problem` names the first one. The
    conditions are SQL over the columns of `postal_addresses()`.

    An address lacks what its country's post requires, or cannot be: a placeholder of the seed `placeholders` stands in a field, or its
    parts contradict each other (the seeds `regions` and `postal_regions`).
#}
{% macro address_problems() %}
    {% set no_name = "coalesce(full_name, company) is null" %}
    {# Where the post requires a region and no city (Hong Kong, the Emirates), people write the region into the city. #}
    {% set no_region = "requires_region and region is null and (requires_city or city is null)" %}
    {% set email = dmail.matches("address_line1", "^[^ @]+@[^ @]+\\.[^ @]+$") %}
    {% set other_region %}
        region_key <> '*' and not contains('|' || postal_region_keys || '|', '|' || region_key || '|')
    {% endset %}
    {{
        return(
            [
                ["no name", no_name],
                ["unknown country", "country_name is null"],
                ["no address line", "requires_line and address_line1 is null"],
                ["no city", "requires_city and city is null"],
                ["no region", no_region],
                ["no postal code", "requires_postal_code and postal_code is null"],
                ["placeholder name", "has_placeholder_name"],
                ["placeholder address line", "has_placeholder_line"],
                ["email address as address line", "contains(address_line1, '@') and " ~ email],
                ["no letter or digit in address line", dmail.matches("address_line1", "^[^\\p{L}\\p{N}]+$")],
                ["placeholder city", "has_placeholder_city"],
                ["placeholder postal code", "has_placeholder_code"],
                [
                    "postal code not of its country",
                    "not " ~ dmail.is_postal_code("postal_code", "postal_code_pattern"),
                ],
                ["region not of its country", "has_regions and region is not null and region_key is null"],
                ["postal code not of its region", other_region],
            ]
        )
    }}
{% endmacro %}

{#
    The placeholders, for `dictionary()`: the values, and the columns in which they are placeholders, between spaces. The variable
    `dmail_placeholders` names a model or seed with more of them: the columns `value` and `fields`.
#}
{% macro placeholders() %}
    {% set columns = ["first_name", "last_name", "company", "address_line1", "address_line2", "city", "postal_code"] %}
    {% set query %}
        select
            value as word,
            {% for column in columns %}
                max(case when ' ' || fields || ' ' like '% {{ column }} %' then ' {{ column }} ' else '' end)
                {{ "||" if not loop.last }}
            {% endfor %} as meaning
        from
            (
                -- dbt reads the text null of a seed as no value on some engines.
                select 'null' as value, 'first_name company city address_line1 postal_code' as fields
                union all
                select value, fields
                from {{ ref("dmail", "placeholders") }}
                {% if var("dmail_placeholders", none) %}
                    union all
                    select lower(value) as value, fields
                    from {{ ref(var("dmail_placeholders")) }}
                {% endif %}
            ) as known
        where value is not null
        group by value
    {% endset %}
    {{ return(query) }}
{% endmacro %}

{#
    SQL that is true if a column's value is a placeholder there.

    Arguments:
        column (string): The column.
#}
{% macro is_placeholder(column) -%}
    coalesce(
        contains(
            {{ dmail.meaning("dictionaries.placeholders", dmail.placeholder_spelling(column)) }}, ' {{ column }} '
        ),
        false
    )
{%- endmacro %}

{#
    A column as the seed `placeholders` spells it: in small letters. Of a street line that does not begin with a digit, punctuation does
    not count.

    Arguments:
        column (string): The column.
#}
{% macro placeholder_spelling(column) -%}
    {% set small = dmail.lower_case("normalised." ~ column) %}
    {%- if column.startswith("address_line") -%}
        case
            when normalised.{{ column }} < '0' or normalised.{{ column }} > ':'
            then trim({{ dmail.replace_all(small, "[^\\p{L}\\p{N}#/()?!]+", " ") }})
        end
    {%- else -%} {{ small }}
    {%- endif -%}
{%- endmacro %}

{#
    A region, as the seed `regions` spells it: in small letters, without accents and points.

    Arguments:
        region (column): The region.
#}
{% macro region_spelling(region) -%}
    {% set small = dmail.lower_case(region) %}
    case
        when {{ dmail.matches_whole(small, "[a-z]+") }}
        then {{ small }}
        else trim({{ dmail.replace_all("replace(" ~ dmail.without_accents(small) ~ ", '.', '')", " +", " ") }})
    end
{%- endmacro %}
