{#
    Text for one printed line: control characters, line breaks and exotic spaces become plain spaces, runs of spaces one space;
    nothing left is null.

    Most values are plain and clean, and a look is four times cheaper than a rewrite: only what needs it is rewritten.
#}
{% macro clean_text(column) -%}
    case
        when regexp_matches(cast({{ column }} as varchar), '[^!-~ ]|^ |  | $|^$')
        then nullif(trim(regexp_replace(cast({{ column }} as varchar), '[\s\p{C}\p{Z}]+', ' ', 'g')), '')
        else cast({{ column }} as varchar)
    end
{%- endmacro %}
