{#
    The code that tells where an answer comes from: source, list and cell joined, in capitals, with a check digit on request.

    Null where a part is empty or has a character that the charset has not, or where the code is longer than `length`: a code that
    lost a character would be somebody else's. Declare the column `not_null`, and the build stops.

    Arguments:
        parts      list of column expressions, or literals in quotes
        length     characters in all; a shorter code is filled up with zeros before its last part
        separator  between the parts and before the check digit: none, or one of - . / _
        charset    alphanumeric (A-Z, 0-9) or numeric
        check      a scheme of check_digit(), over the parts without separators; letters ask for mod97
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
