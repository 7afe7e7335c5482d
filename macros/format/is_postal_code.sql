{#
    Whether a postal code matches its country's pattern. It is null if there is no code, or the country has no pattern.

    A pattern in a column is compiled for each row, which takes longer than everything else. The frequent patterns of the seed
    `countries` are therefore listed here. A pattern that is not listed works as well, but is slower.

    Arguments:
        postal_code (column): The postal code.
        pattern (column): The pattern.
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
