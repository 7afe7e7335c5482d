{#
    Capitals by the language of a country: in Turkey and Azerbaijan, the capital of i is İ; Greek capitals have no accents; ß becomes SS,
    because few typefaces have a capital ß. Other accents stay.

    Arguments:
        text (column): The text.
        country_code (column): ISO 3166-1 alpha-2, in upper case.
#}
{% macro capitals_of_country(text, country_code) -%}
    {% set turkish %}
        case when contains('TR AZ', {{ country_code }}) then replace({{ text }}, 'i', 'İ') else {{ text }} end
    {% endset %}
    translate(
        {{ dmail.upper_case("replace(translate(" ~ turkish ~ ", 'ΐΰ', 'ϊϋ'), 'ß', 'ss')") }}, 'ΆΈΉΊΌΎΏ', 'ΑΕΗΙΟΥΩ'
    )
{%- endmacro %}
