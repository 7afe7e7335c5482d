{# Arithmetic of whole numbers that no double can hold. #}
{#
    The whole quotient of two numbers, without a remainder. Both are whole and not negative.

    Arguments:
        number (column): The number, of up to 38 digits.
        divisor (column): The divisor.
#}
{% macro quotient(number, divisor) -%} {{ adapter.dispatch("quotient", "dmail")(number, divisor) }} {%- endmacro %}

{% macro duckdb__quotient(number, divisor) -%} divide({{ number }}, {{ divisor }}) {%- endmacro %}

{% macro spark__quotient(number, divisor) -%}(({{ number }}) div({{ divisor }})) {%- endmacro %}

{% macro postgres__quotient(number, divisor) -%} div(cast({{ number }} as numeric), {{ divisor }}) {%- endmacro %}

{#
    A whole number of up to 38 digits.

    Arguments:
        number (column): The number, or its digits.
#}
{% macro wide_number(number) -%} {{ adapter.dispatch("wide_number", "dmail")(number) }} {%- endmacro %}

{% macro duckdb__wide_number(number) -%} cast({{ number }} as hugeint) {%- endmacro %}

{% macro spark__wide_number(number) -%} cast({{ number }} as decimal(38, 0)) {%- endmacro %}

{% macro postgres__wide_number(number) -%} cast({{ number }} as decimal(38, 0)) {%- endmacro %}

{#
    A number with its bits moved. It is not negative, and no bit is moved beyond the 63rd.

    Arguments:
        number (column): The number: a bigint, or what `wide_number()` returned.
        places (int): The number of places to the left; negative for places to the right, where bits get lost.
#}
{% macro moved_bits(number, places) -%} {{ adapter.dispatch("moved_bits", "dmail")(number, places) }} {%- endmacro %}

{% macro duckdb__moved_bits(number, places) -%}
    (({{ number }}) {{ ">>" if places < 0 else "<<" }} {{ places | abs }})
{%- endmacro %}

{# There is no shift of decimals, nor an operator. #}
{% macro spark__moved_bits(number, places) -%}
    (({{ number }}) {{ "div" if places < 0 else "*" }} {{ 2 ** (places | abs) }})
{%- endmacro %}

{% macro postgres__moved_bits(number, places) -%}
    {% if places < 0 %} div(cast({{ number }} as numeric), {{ 2 ** (places | abs) }})
    {%- else %}(({{ number }}) * {{ 2**places }})
    {%- endif %}
{%- endmacro %}

{#
    A number in the digits 0 to 3.

    Arguments:
        number (column): The number, which is not negative.
        digits (int): The number of digits. Zeros are put before the first one.
#}
{% macro base_four(number, digits) -%} {{ adapter.dispatch("base_four", "dmail")(number, digits) }} {%- endmacro %}

{% macro duckdb__base_four(number, digits) -%} to_base({{ number }}, 4, {{ digits }}) {%- endmacro %}

{% macro spark__base_four(number, digits) -%} lpad(conv({{ number }}, 10, 4), {{ digits }}, '0') {%- endmacro %}

{% macro postgres__base_four(number, digits) -%}
    dmail_base_four(cast({{ number }} as bigint), {{ digits }})
{%- endmacro %}

{#
    A list of values.

    Arguments:
        values (list[column]): The values, all of one type.
#}
{% macro list_of(values) -%} {{ adapter.dispatch("list_of", "dmail")(values) }} {%- endmacro %}

{% macro duckdb__list_of(values) -%} [{{ values | join(", ") }}] {%- endmacro %}

{% macro spark__list_of(values) -%} array({{ values | join(", ") }}) {%- endmacro %}

{% macro postgres__list_of(values) -%} array[{{ values | join(", ") }}] {%- endmacro %}

{#
    A list with each of its values changed by an expression.

    Arguments:
        list (column): The list.
        name (string): The name of the value in the expression.
        expression (string): SQL over the name.
#}
{% macro each_item(list, name, expression) -%}
    {{ adapter.dispatch("each_item", "dmail")(list, name, expression) }}
{%- endmacro %}

{% macro duckdb__each_item(list, name, expression) -%}
    list_transform({{ list }}, lambda {{ name }}:{{ expression }})
{%- endmacro %}

{% macro spark__each_item(list, name, expression) -%}
    transform({{ list }}, {{ name }} -> {{ expression }})
{%- endmacro %}

{% macro postgres__each_item(list, name, expression) -%}
    array(
        select {{ expression }}
        from unnest({{ list }})
        with ordinality as items({{ name }}, item_place)
        order by item_place
    )
{%- endmacro %}

{#
    The element of a list at a computed place. Null for a place that is null.

    Arguments:
        list (column): The list.
        place (column): The place, from 1 to the list's length.
#}
{% macro item_at(list, place) -%} {{ adapter.dispatch("item_at", "dmail")(list, place) }} {%- endmacro %}

{% macro duckdb__item_at(list, place) -%} {{ list }} [{{ place }}] {%- endmacro %}

{% macro spark__item_at(list, place) -%} element_at({{ list }}, cast({{ place }} as integer)) {%- endmacro %}

{% macro postgres__item_at(list, place) -%}({{ list }})[{{ place }}] {%- endmacro %}

{#
    A list of constant numbers, which is made once and not for each row.

    Arguments:
        numbers (string): The numbers, separated by spaces.
#}
{% macro number_list(numbers) -%} {{ adapter.dispatch("number_list", "dmail")(numbers) }} {%- endmacro %}

{% macro duckdb__number_list(numbers) -%} cast('[{{ numbers | replace(" ", ",") }}]' as integer[]) {%- endmacro %}

{% macro spark__number_list(numbers) -%} cast(split('{{ numbers }}', ' ') as array<int>) {%- endmacro %}

{% macro postgres__number_list(numbers) -%}
    cast('{{ "{" ~ numbers | replace(" ", ",") ~ "}" }}' as integer[])
{%- endmacro %}
