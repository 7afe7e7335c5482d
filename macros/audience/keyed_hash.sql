{# Eight hexadecimal digits that look like chance and are the same for the same key and value, in every run and on every engine. #}
{% macro keyed_hash(key, value) -%} substr(md5('{{ key }}/' || {{ value }}), 1, 8) {%- endmacro %}
