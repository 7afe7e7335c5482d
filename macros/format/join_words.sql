{#
    Columns joined by one space. Empty columns leave no gap.

    Arguments:
        columns (list[column]): The columns.
#}
{% macro join_words(columns) -%} nullif(concat_ws(' ', {{ columns | join(", ") }}), '') {%- endmacro %}
