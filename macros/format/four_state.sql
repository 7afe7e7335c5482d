{#
    The bars of a Royal Mail 4-state customer code (RM4SCC), as the letters T, D, A and F: start bar, four bars a character, the check
    character's four, and stop bar. It is null if the code is not valid.

    Arguments:
        postal_code (column): The British postcode. Blanks are left out.
        delivery_point (column): The delivery point suffix: a digit from 1 and a letter. "'9Z'" is the suffix of an unknown one.
#}
{% macro royal_mail_code(postal_code, delivery_point="'9Z'") -%}
    {% set code %}
        upper(replace({{ dmail.blank_to_null(postal_code) }}, ' ', '') || {{ dmail.blank_to_null(delivery_point) }})
    {% endset %}
    {% set letter = "[ABD-HJLNP-UW-Z]" %}
    {% set valid = dmail.matches(code, "^[A-Z]{1,2}[0-9][0-9A-Z]?[0-9]" ~ letter ~ "{2}[1-9]" ~ letter ~ "$") %}
    {# The characters lie in a square of six rows and columns, of which the last one counts as 0. The check character is in the row and
       the column of the sums. The sums are lengths of texts, because texts are what each engine can make of a match. #}
    {% set place = "(instr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', part) - 1)" %}
    {% set row = "repeat('x', cast((" ~ dmail.quotient(place, 6) ~ " + 1) % 6 as integer))" %}
    {% set column = "repeat('x', cast((" ~ place ~ " + 1) % 6 as integer))" %}
    {% set check %}
        (length({{ dmail.each_part(code, "[0-9A-Z]", row) }}) + 5) % 6 * 6
        + (length({{ dmail.each_part(code, "[0-9A-Z]", column) }}) + 5) % 6
    {% endset %}
    {% set checked = (
        code ~ " || substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', cast(" ~ check ~ " + 1 as integer), 1)"
    ) %}
    case when {{ valid }} then 'A' || {{ dmail.four_state_bars(checked) }} || 'F' end
{%- endmacro %}

{#
    The bars of a Dutch KIX code, as the letters T, D, A and F. It is null if the code is not valid.

    Arguments:
        postal_code (column): The Dutch postal code. Blanks are left out.
        house_number (column): The number of the house, the letter box or the reply number: one to five digits.
        addition (column): The addition to the number: up to six letters or digits. Null or empty for none.
#}
{% macro kix_code(postal_code, house_number, addition="null") -%}
    {% set code %}
        upper(
            replace({{ dmail.blank_to_null(postal_code) }}, ' ', '')
            || {{ dmail.blank_to_null(house_number) }}
            || coalesce('X' || {{ dmail.blank_to_null(addition) }}, '')
        )
    {% endset %}
    case
        when {{ dmail.matches(code, "^[1-9][0-9]{3}[A-Z]{2}[0-9]{1,5}(X[0-9A-Z]{1,6})?$") }}
        then {{ dmail.four_state_bars(code) }}
    end
{%- endmacro %}

{#
    The bars of digits and capitals in the 4-state alphabet that the British and the Dutch post share.

    Arguments:
        code (column): The digits and capitals.
#}
{% macro four_state_bars(code) -%}
    {% set characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" %}
    {# Of the four bars two rise and two fall: the row in the square gives those that rise, the column those that fall. #}
    {% set pairs = ["0011", "0101", "0110", "1001", "1010", "1100"] %}
    {% set bars = [] %}
    {% for rising in pairs %}
        {% for falling in pairs %}
            {% for place in range(4) %}
                {% do bars.append({"00": "T", "01": "D", "10": "A", "11": "F"}[rising[place] ~ falling[place]]) %}
            {% endfor %}
        {% endfor %}
    {% endfor %}
    {% set expression = "substr('" ~ bars | join("") ~ "', 4 * instr('" ~ characters ~ "', part) - 3, 4)" %}
    {{- dmail.each_part(code, "[0-9A-Z]", expression) -}}
{%- endmacro %}
