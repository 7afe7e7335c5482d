{#
    ISO 3166-1 alpha-2 from a code, as `country_code()` reads it, or from a country's name in a language of the seed `country_names`,
    such as `United States` or `Deutschland`, or from another usual name, such as `United States of America`, `U.S.A.` or `England`.
    Case, accents, full stops, surrounding spaces, `the` and `&` for `and` do not matter. Anything else is returned in upper case.
    No country has such a code.

    Arguments:
        column (column): The source's code or name.
#}
{% macro country_named(column) -%}
    {% set text = dmail.clean_text(column) %}
    {# Both columns of the seed have names here that no source has, because the subquery could otherwise hide the source's column. #}
    coalesce(
        (
            select case when count(distinct dmail_code) = 1 then min(dmail_code) end
            from
                (
                    select country_code as dmail_code, {{ dmail.plain_country("country_name") }} as dmail_name
                    from {{ ref("dmail", "country_names") }}
                    {# Their letters bear the name of Finland, or of the Channel Islands. #}
                    where country_code not in ('AX', 'GG', 'JE')
                ) as dmail_countries
            where dmail_name = {{ dmail.plain_country(text) }}
        ),
        case
            {{ dmail.plain_country(text) }}
            {% for code, names in dmail.country_aliases().items() %}
                {% for name in names %} when {{ dmail.sql_text(name) }} then '{{ code }}' {% endfor %}
            {% endfor %}
        end,
        {{ dmail.country_code("replace(" ~ text ~ ", '.', '')") }}
    )
{%- endmacro %}

{#
    A country's name as names are compared.

    Arguments:
        text (column): The name.
#}
{% macro plain_country(text) -%}
    {%- set spelled -%}
        replace(replace(replace(replace({{ text }}, '.', ''), '&', 'and'), 'ß', 'ss'), '’', chr(39))
    {%- endset -%}
    {%- set small -%} lower({{ dmail.without_accents(spelled) }}) {%- endset -%}
    {{ dmail.replace_first(small, "^the ", "") }}
{%- endmacro %}
