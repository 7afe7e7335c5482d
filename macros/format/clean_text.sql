{#
    Text for one printed line: control characters, line breaks and exotic spaces become plain spaces, runs of spaces one space;
    what has no width and no meaning on paper (soft hyphen, byte order mark, direction marks) goes; the joiners that Persian, Hindi
    and emoji are spelled with stay. Nothing left is null.

    Most values are words with single spaces between them: a look is cheaper than a rewrite.
#}
{% macro clean_text(column) -%}
    {% set text = "cast(" ~ column ~ " as string)" %}
    {% set nothing = "\\x{ad}\\x{200b}\\x{200e}\\x{200f}\\x{202a}-\\x{202e}\\x{2060}-\\x{2069}\\x{feff}" %}
    {% set space = "\\s\\p{Cc}\\p{Z}" %}
    {% set word = "[^" ~ nothing ~ space ~ "]+" %}
    case
        when {{ dmail.matches_whole(text, word ~ "( " ~ word ~ ")*") }}
        then {{ text }}
        else nullif(trim({{ dmail.replace_all(dmail.replace_all(text, "[" ~ nothing ~ "]", ""), "[" ~ space ~ "]+", " ") }}), '')
    end
{%- endmacro %}
