{#
    The code that identifies where a response comes from: source, list and cell, joined, in capitals, with an optional check digit.

    It is null if a part is empty or has a character that the charset lacks, or if the code is longer than `length`: a shortened code
    would belong to somebody else. Declare the column not_null, and the build fails.

    Arguments:
        parts (list[column]): The parts: columns, or literals in quotes.
        length (optional[int]): The number of characters. A shorter code is padded with zeros before its last part.
        separator (string): The text between the parts and before the check digit: empty, or one of - . / _
        charset (string): 'alphanumeric' (A-Z, 0-9) or 'numeric'.
        check (optional[string]): A scheme of `check_digit()`, which is applied to the parts without separators. Letters require 'mod97'.
#}
{% macro key_code(parts, length=none, separator="", charset="alphanumeric", check=none) -%}
    {% set charsets = {"alphanumeric": "^[0-9A-Z]+$", "numeric": "^[0-9]+$"} %}
    {% set checks = {"mod10": 1, "mod11": 1, "mod97": 2} %}
    {% if parts is string or not parts %}
        {{ exceptions.raise_compiler_error("key_code(): `parts` accepts a list of columns, not `" ~ parts ~ "`") }}
    {% elif charset not in charsets %}
        {{
            exceptions.raise_compiler_error(
                "key_code(): unknown charset `" ~ charset ~ "`; it accepts " ~ charsets | join(", ")
            )
        }}
    {% elif separator not in ["", "-", ".", "/", "_"] %}
        {{
            exceptions.raise_compiler_error(
                "key_code(): `separator` accepts one of - . / _, not `" ~ separator ~ "`"
            )
        }}
    {% elif check is not none and check not in checks %}
        {{
            exceptions.raise_compiler_error(
                "key_code(): unknown check `" ~ check ~ "`; it accepts " ~ checks | join(", ")
            )
        }}
    {% elif check in ["mod10", "mod11"] and charset != "numeric" %}
        {{
            exceptions.raise_compiler_error(
                "key_code(): the check `" ~ check ~ "` is for digits; it accepts charset numeric, or take check mod97"
            )
        }}
    {% elif length is not none and (length is not integer or length < 1) %}
        {{
            exceptions.raise_compiler_error(
                "key_code(): `length` accepts a whole number from 1, not `" ~ length ~ "`"
            )
        }}
    {% endif %}
    {% set texts = [] %}
    {% for part in parts %} {% do texts.append(dmail.upper_case(dmail.blank_to_null(part))) %} {% endfor %}
    {% set judged = [] %}
    {% for text in texts %} {% do judged.append(dmail.matches(text, charsets[charset])) %} {% endfor %}
    {% if length is not none %}
        {% set fixed = (parts | length - 1 + (1 if check else 0)) * separator | length + checks.get(check, 0) %}
        {% set room = [length - fixed] %}
        {% for text in texts[:-1] %} {% do room.append("length(" ~ text ~ ")") %} {% endfor %}
        {% set room, last = "cast(" ~ room | join(" - ") ~ " as integer)", texts[-1] %}
        {% do judged.append("length(" ~ last ~ ") <= " ~ room) %}
        {% set texts = texts[:-1] + ["lpad(" ~ last ~ ", " ~ room ~ ", '0')"] %}
    {% endif %}
    {% set pieces = texts + ([dmail.check_digit(texts | join(" || "), check)] if check else []) %}
    case when {{ judged | join(" and ") }} then {{ pieces | join(" || '" ~ separator ~ "' || ") }} end
{%- endmacro %}
