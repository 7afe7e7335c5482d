{# The given columns with one space between them; an empty one leaves no gap. #}
{% macro join_words(columns) -%} nullif(concat_ws(' ', {{ columns | join(", ") }}), '') {%- endmacro %}
