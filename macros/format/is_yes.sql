{# Whether a flag says yes, however the source spells it: true, t, yes, y, 1. Anything else, and nothing, is no. #}
{% macro is_yes(column) -%}
    case
        lower(trim(cast({{ column }} as varchar)))
        {% for yes in ["true", "t", "yes", "y", "1"] %} when '{{ yes }}' then true {% endfor %}
        else false
    end
{%- endmacro %}
