{#
    Whether a flag is set, however the source spells it. Empty values, and every spelling of no, are false. Anything else is true,
    because the flag keeps people out of a mailing.

    Arguments:
        column (column): The flag.
#}
{% macro is_yes(column) -%}
    {% set text = "cast(" ~ column ~ " as string)" %}
    {# The usual values are returned without normalising their spelling. #}
    case
        {{ text }}
        when 'false'
        then false
        when 'true'
        then true
        else
            case
                lower({{ dmail.replace_all(text, "^\\s+|\\s+$", "") }})
                {% for no in ["", "false", "f", "no", "n", "0", "0.0", "off"] %} when '{{ no }}' then false {% endfor %}
                else {{ column }} is not null
            end
    end
{%- endmacro %}
