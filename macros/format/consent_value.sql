{#
    A consent in one word, however the source spells it: `y`, `n`, null for nothing said, or one of XDM's other values in lower
    case (`p` pending, `u` unknown, `dy` and `dn` default yes and no, `li`, `ct`, `cp`, `vi`, `pi` another legal ground). What
    nobody understands becomes `?`, which every rule takes for a no.

    Spaces, quotes and full stops at either end are no part of the answer.
#}
{% macro consent_value(column) -%}
    {# No `in (…)`: DuckDB makes a join of it, and computes that even where nobody asks for the column. #}
    {% set words = {
        "n": [
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
        ],
        "y": ["y", "yes", "true", "t", "1", "1.0", "on", "in", "optin", "opt-in", "opt_in", "granted"],
    } %}
    {% set text = "cast(" ~ column ~ " as string)" %}
    {# What most rows say costs no look at its spelling. #}
    case
        {{ text }}
        when 'y'
        then 'y'
        when 'n'
        then 'n'
        else
            case
                {{ dmail.replace_all(dmail.lower_case(text), "^[\\s\\p{Z}\\p{C}\"'.]+|[\\s\\p{Z}\\p{C}\"'.]+$", "") }}
                {% for answer, spellings in words.items() %}
                    {% for spelling in spellings %} when '{{ spelling }}' then '{{ answer }}' {% endfor %}
                {% endfor %}
                {% for code in ["p", "u", "dy", "dn", "li", "ct", "cp", "vi", "pi"] %}
                    when '{{ code }}' then '{{ code }}'
                {% endfor %}
                when ''
                then null
                else case when {{ column }} is not null then '?' end
            end
    end
{%- endmacro %}
