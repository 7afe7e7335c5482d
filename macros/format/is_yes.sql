{# Whether a flag says yes, however the source spells it: true, t, yes, y, 1, on, x. Anything else, and nothing, is no. #}
{% macro is_yes(column) -%}
    case
        lower(regexp_replace(cast({{ column }} as varchar), '^\s+|\s+$', '', 'g'))
        {% for yes in ["true", "t", "yes", "y", "1", "1.0", "on", "x"] %} when '{{ yes }}' then true {% endfor %}
        else false
    end
{%- endmacro %}
