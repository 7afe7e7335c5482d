{#
    Postal capitals: upper case, ß as SS, which a postal scanner and an old printer both know. No letter is lost; an accent stays.
    Empty is null.
#}
{% macro upper_text(column) -%}
    {{ dmail.upper_case("replace(replace(" ~ dmail.blank_to_null(column) ~ ", 'ß', 'ss'), 'ẞ', 'SS')") }}
{%- endmacro %}
