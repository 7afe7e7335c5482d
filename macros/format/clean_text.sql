{#
    Text for one printed line. Control characters, line breaks and unusual spaces become plain spaces, and runs of spaces one space.
    Characters without width or meaning on paper are removed (soft hyphen, byte order mark, direction marks). The joiners that
    Persian, Hindi and emoji are spelled with stay. A letter and its accent become one character, if there is one (Unicode NFC). The
    apostrophe by which spreadsheets mark a number as text is removed. Empty text is null.

    Arguments:
        column (column): The text.
#}
{% macro clean_text(column) -%}
    {% set text = "cast(" ~ column ~ " as string)" %}
    {% set nothing = "\\x{ad}\\x{200b}\\x{200e}\\x{200f}\\x{202a}-\\x{202e}\\x{2060}-\\x{2069}\\x{feff}" %}
    {% set space = "\\s\\p{Cc}\\p{Z}" %}
    {# Marks, signs that are another character by definition, and the parts of Korean syllables can be composed. #}
    {% set parts = "\\p{M}\\x{2126}\\x{212a}\\x{212b}\\x{1100}-\\x{11ff}" %}
    {% set sign = "[^" ~ nothing ~ space ~ parts ~ "]" %}
    {% set first = "[^'" ~ nothing ~ space ~ parts ~ "]" %}
    {% set spaced = dmail.replace_all(dmail.replace_all(text, "[" ~ nothing ~ "]", ""), "[" ~ space ~ "]+", " ") %}
    {# Most values are words with single spaces between them. Testing for that is cheaper than rewriting them. #}
    case
        when {{ dmail.matches_whole(text, first ~ sign ~ "*( " ~ sign ~ "+)*") }}
        then {{ text }}
        else nullif({{ dmail.replace_first("trim(" ~ dmail.composed_source(spaced) ~ ")", "^'([0-9])", "\\1") }}, '')
    end
{%- endmacro %}
