{#
    ISO 3166-1 alpha-2 from a code, as `country_code()` reads it, or from a country's name in a language of the seed `country_names`,
    such as `United States` or `Deutschland`. Anything else is returned in upper case. No country has such a code.

    Arguments:
        column (column): The source's code or name.
#}
{% macro country_named(column) -%}
    {# Both columns of the seed have names here that no source has, because the subquery could otherwise hide the source's column. #}
    coalesce(
        (
            select case when count(distinct dmail_code) = 1 then min(dmail_code) end
            from
                (
                    select country_code as dmail_code, lower(country_name) as dmail_name
                    from {{ ref("dmail", "country_names") }}
                ) as dmail_countries
            where dmail_name = lower({{ column }})
        ),
        {{ dmail.country_code(column) }}
    )
{%- endmacro %}
