{#
    Text for one printed line. Control characters, line breaks and unusual spaces become plain spaces, and runs of spaces one space.
    Characters without width or meaning on paper are removed (soft hyphen, byte order mark, direction marks). The joiners that
    Persian, Hindi and emoji are spelled with stay. Empty text is null.

    Arguments:
        column (column): The text.
#}
{% macro clean_text(column) -%}
    {% set text = "cast(" ~ column ~ " as string)" %}
    {% set nothing = "\\x{ad}\\x{200b}\\x{200e}\\x{200f}\\x{202a}-\\x{202e}\\x{2060}-\\x{2069}\\x{feff}" %}
    {% set space = "\\s\\p{Cc}\\p{Z}" %}
    {% set word = "[^" ~ nothing ~ space ~ "]+" %}
    {# Most values are words with single spaces between them. Testing for that is cheaper than rewriting them. #}
    case
        when {{ dmail.matches_whole(text, word ~ "( " ~ word ~ ")*") }}
        then {{ text }}
        else
            nullif(
                trim(
                    {{ dmail.replace_all(dmail.replace_all(text, "[" ~ nothing ~ "]", ""), "[" ~ space ~ "]+", " ") }}
                ),
                ''
            )
    end
{%- endmacro %}
