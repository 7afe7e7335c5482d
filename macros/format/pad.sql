{#
    A field of a fixed width, counted in characters (code points).

    A value that is too long is null and never cut: declare the column not_null, and the build fails. An empty value is blanks,
    for any fill: 0000 would look like a number.

    Arguments:
        column (column): The value.
        width (int): The number of characters.
        align (string): 'left' fills after the value, 'right' before it.
        fill (string): One character.
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
