{#
    A consent as one lower-case letter where it says no, however the source spells it: n, N, "n", no, false, 0, 0.0, off.

    Anything but letters and digits at either end is no part of the answer. Anything else is passed on in lower case; empty is null.
#}
{% macro consent_value(column) -%}
    {# No `in (…)`: DuckDB makes a join of it, and computes that even where nobody asks for the column. #}
    {% set said -%}
        regexp_replace(lower(cast({{ column }} as varchar)), '^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$', '', 'g')
    {%- endset %}
    case
        {{ said }}
        {% for no in [
            "n",
            "ｎ",
            "no",
            "false",
            "f",
            "0",
            "0.0",
            "off",
            "none",
            "never",
            "denied",
            "revoked",
            "unsubscribed",
            "optout",
            "opt-out",
            "opt_out",
            "out",
        ] %}
            when '{{ no }}' then 'n'
        {% endfor %}
        else nullif({{ said }}, '')
    end
{%- endmacro %}
