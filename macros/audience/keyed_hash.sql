{#
    A pseudo-random draw: eight hexadecimal digits of a hash, which are the same in every run and on every engine.

    Arguments:
        key (string): The name of the draw. Another key gives an independent draw.
        value (column): The value that the draw is for, such as a profile's id.
#}
{% macro keyed_hash(key, value) -%} substr(md5('{{ key }}/' || {{ value }}), 1, 8) {%- endmacro %}

{#
    A whole number in hexadecimal digits, with leading zeros. It is written out, because not every version of dbt formats numbers.

    Arguments:
        number (int): The number, from 0.
        digits (int): The number of digits.
#}
{% macro hexadecimal(number, digits) %}
    {% set left = namespace(number=number, text="") %}
    {% for _ in range(digits) %}
        {% set left.text = "0123456789abcdef"[left.number % 16] ~ left.text %} {% set left.number = left.number // 16 %}
    {% endfor %}
    {{ return(left.text) }}
{% endmacro %}
