{#
    Whether a flag says yes, however the source spells it. Nothing, and a spelled no, is no; what nobody understands counts as yes:
    as a flag it keeps somebody out of a mailing.
#}
{% macro is_yes(column) -%}
    {% set text = "cast(" ~ column ~ " as string)" %}
    {# What most rows say costs no look at their spelling. #}
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
