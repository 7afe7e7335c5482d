{#
    A consent in one word, however the source spells it: `y`, `n`, null for no answer, or one of XDM's other values in lower case:
    `p` (pending), `u` (unknown), `dy` and `dn` (default yes and no), `li`, `ct`, `cp`, `vi`, `pi` (other legal grounds). Everything
    else becomes `?`, which every rule treats as a refusal. Spaces, quotes and full stops at either end are ignored.

    Arguments:
        column (column): The source's answer.
#}
{% macro consent_value(column) -%}
    {# Not `in (…)`: DuckDB turns a long list into a join, and computes the join even if no query uses the column. #}
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
    {# The usual answers are returned without normalising their spelling. #}
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
