{#
    The 20 digits of an Intelligent Mail barcode without its ZIP code: barcode identifier, service type, mailer and serial number. It
    is null if a part is not valid, or the serial number has not as many digits as the mailer's length leaves.

    Arguments:
        mailer_id (string): The mailer's number of the USPS: six digits, or nine of which the first one is 9.
        serial_number (column): The piece's number, as of `serial_number()`: nine digits for a mailer of six, six for a mailer of nine.
        service_type (column): The three digits of the service, such as "'300'".
        barcode_id (column): The two digits of the presort level. The second one is 0 to 4.
#}
{% macro tracking_code(mailer_id, serial_number, service_type, barcode_id="'00'") -%}
    {% set digits = dmail.serial_digits(mailer_id) %}
    {% set parts = [
        (dmail.blank_to_null(barcode_id), "^[0-9][0-4]$"),
        (dmail.blank_to_null(service_type), "^[0-9]{3}$"),
        (dmail.sql_text(mailer_id), none),
        (dmail.blank_to_null(serial_number), "^[0-9]{" ~ digits ~ "}$"),
    ] %}
    {% set valid = [] %}
    {% for text, pattern in parts if pattern %} {% do valid.append(dmail.matches(text, pattern)) %} {% endfor %}
    case when {{ valid | join(" and ") }} then {{ parts | map("first") | join(" || ") }} end
{%- endmacro %}

{#
    The number of digits of a serial number. Raises a compile error for a mailer that the USPS cannot have given a number.

    Arguments:
        mailer_id (string): The mailer's number.
#}
{% macro serial_digits(mailer_id) %}
    {% if mailer_id is string and modules.re.fullmatch("[0-8][0-9]{5}", mailer_id) %} {{ return(9) }}
    {% elif mailer_id is string and modules.re.fullmatch("9[0-9]{8}", mailer_id) %} {{ return(6) }}
    {% endif %}
    {{
        exceptions.raise_compiler_error(
            "the mailer's number is six digits, of which the first is 0 to 8, or nine digits, of which the first is 9, in quotes; not `"
            ~ mailer_id
            ~ "`"
        )
    }}
{% endmacro %}
