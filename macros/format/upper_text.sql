{#
    Postal capitals: upper case, with ß as SS, which postal scanners and old printers can read. Accents stay. Empty text is null.

    Arguments:
        column (column): The text.
#}
{% macro upper_text(column) -%}
    {{ dmail.upper_case("replace(replace(" ~ dmail.blank_to_null(column) ~ ", 'ß', 'ss'), 'ẞ', 'SS')") }}
{%- endmacro %}
