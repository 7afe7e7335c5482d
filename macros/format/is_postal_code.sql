{#
    Whether a postal code is one by its country's pattern; null where there is no code, or the country has no pattern.

    A pattern that stands in a column is compiled for each row, which takes longer than all the rest: those of the countries that
    most letters go to are spelled out. The seed `countries` has them all; one that changes there is still judged, slower.
#}
{% macro is_postal_code(postal_code, pattern) -%}
    {% set frequent = [
        "(\\d{5})(?:[ \\-](\\d{4}))?",
        "\\d{5}",
        "\\d{4}",
        "\\d{6}",
        "\\d{2} ?\\d{3}",
        "\\d{3} ?\\d{2}",
        "GIR ?0AA|[A-Z]{1,2}\\d[\\dA-Z]? ?\\d[ABD-HJLN-UW-Z]{2}|BFPO ?\\d{1,4}",
        "[ABCEGHJKLMNPRSTVXY]\\d[ABCEGHJ-NPRSTV-Z] ?\\d[ABCEGHJ-NPRSTV-Z]\\d",
        "[1-9]\\d{3} ?(?:[A-RT-Z][A-Z]|S[BCE-RT-Z])",
        "\\d{2}-\\d{3}",
        "\\d{4}-\\d{3}",
        "\\d{5}-?\\d{3}",
        "\\d{3}-?\\d{4}",
        "[\\dA-Z]{3} ?[\\dA-Z]{4}",
        "((?:[A-HJ-NP-Z])?\\d{4})([A-Z]{3})?",
    ] %}
    case
        {{ pattern }}
        {% for spelled in frequent %}
            when {{ dmail.sql_text(spelled) }} then {{ dmail.matches_whole(postal_code, spelled) }}
        {% endfor %}
        else {{ dmail.matches_whole(postal_code, pattern, column=true) }}
    end
{%- endmacro %}
