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
    The placeholders of a column: a query with the unique column `value`. The variable `dmail_placeholders` names a model or seed with more of
    them: the columns `value` and `fields`.

    Arguments:
        column (string): A column that the seed `placeholders` names.
#}
{% macro placeholders_of(column) %}
    {# dbt reads the text `null` of a seed as no value on some engines. #}
    select value
    from
        (
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
    where ' ' || fields || ' ' like '% {{ column }} %'
    group by value
{% endmacro %}

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
