{#
    A field of a fixed width, counted in characters (code points).

    A value that is too long is null, never cut: declare the column `not_null`, and the build stops. Nothing in the column is
    blanks, whatever the fill: 0000 would say that somebody has nothing, not that nobody knows.

    Arguments:
        width  how many characters
        align  left: the fill comes behind the value; right: before it
        fill   one character
#}
{% macro pad(column, width, align="left", fill=" ") -%}
    {% if width is not integer or width < 1 %}
        {{ exceptions.raise_compiler_error("pad(): `width` accepts a whole number from 1, not `" ~ width ~ "`") }}
    {% elif align not in ["left", "right"] %}
        {{ exceptions.raise_compiler_error("pad(): unknown align `" ~ align ~ "`; it accepts left, right") }}
    {% elif fill is not string or fill | length != 1 %}
        {{ exceptions.raise_compiler_error("pad(): `fill` accepts one character, not `" ~ fill ~ "`") }}
    {% endif %}
    {% set text = "coalesce(cast(" ~ column ~ " as string), '')" %}
    case
        when {{ text }} = ''
        then repeat(' ', {{ width }})
        when length({{ text }}) <= {{ width }}
        then {{ "rpad" if align == "left" else "lpad" }} ({{ text }}, {{ width }}, {{ dmail.sql_text(fill) }})
    end
{%- endmacro %}
