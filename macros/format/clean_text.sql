{#
    Text for one printed line: control characters, line breaks and exotic spaces become plain spaces, runs of spaces one space;
    nothing left is null.

    Most values are plain words with single spaces between them: a look is cheaper than a rewrite.
#}
{% macro clean_text(column) -%}
    case
        when regexp_full_match(cast({{ column }} as varchar), '[!-~]+( [!-~]+)*')
        then cast({{ column }} as varchar)
        else nullif(trim(regexp_replace(cast({{ column }} as varchar), '[\s\p{C}\p{Z}]+', ' ', 'g')), '')
    end
{%- endmacro %}
