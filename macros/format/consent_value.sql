{#
    A consent as one lower-case letter where it says no, however the source spells it: n, N, no, false, 0.

    Anything else is passed on in lower case; empty is null.
#}
{% macro consent_value(column) -%}
    {# No `in (…)`: DuckDB makes a join of it, and computes that even where nobody asks for the column. #}
    case
        lower(trim(cast({{ column }} as varchar)))
        {% for no in ["n", "no", "false", "f", "0"] %} when '{{ no }}' then 'n' {% endfor %}
        else nullif(lower(trim(cast({{ column }} as varchar))), '')
    end
{%- endmacro %}
