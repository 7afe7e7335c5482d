{#
    The bars of a USPS Intelligent Mail barcode (USPS-B-3200), as the 65 letters T, D, A and F that the post's fonts print. It is null
    if a code is not valid: declare the column not_null, and the build fails.

    Arguments:
        tracking_code (column): The 20 digits of `tracking_code()`. The second digit is 0 to 4.
        routing_code (column): The ZIP code of the delivery point: 5, 9 or 11 digits, with or without the hyphen of ZIP+4. Empty or null
            for a barcode without it.
#}
{% macro intelligent_mail(tracking_code, routing_code) -%}
    {% set tracking = dmail.blank_to_null(tracking_code) %}
    {% set routing = "coalesce(" ~ dmail.blank_to_null(routing_code) ~ ", '')" %}
    {% set digits = "replace(" ~ routing ~ ", '-', '')" %}
    {# Each code of a length follows the codes of the lengths before it. #}
    {% set route %}
        case length({{ digits }})
            when 0 then 0
            when 5 then cast({{ digits }} as bigint) + 1
            when 9 then cast({{ digits }} as bigint) + 100001
            else cast({{ digits }} as bigint) + 1000100001
        end
    {% endset %}
    {# Two numbers: everything before the last 18 digits, and these digits. #}
    {% set data %}
        case
            when
                {{ dmail.matches(tracking, "^[0-9][0-4][0-9]{18}$") }}
                and {{ dmail.matches(routing, "^([0-9]{5}(-?[0-9]{4}([0-9]{2})?)?)?$") }}
            then
                {{
                    dmail.list_of(
                        [
                            "("
                            ~ route
                            ~ ") * 50 + cast(substr("
                            ~ tracking
                            ~ ", 1, 1) as bigint) * 5 + cast(substr("
                            ~ tracking
                            ~ ", 2, 1) as bigint)",
                            "cast(substr(" ~ tracking ~ ", 3, 18) as bigint)",
                        ]
                    )
                }}
        end
    {% endset %}
    {% set words = dmail.with_value(dmail.mail_limbs("mail_data"), "mail_limbs", dmail.mail_words("mail_limbs")) %}
    {{- dmail.with_value(dmail.with_value(data, "mail_data", words), "mail_words", dmail.mail_bars("mail_words")) -}}
{%- endmacro %}

{#
    The 102 bits of an Intelligent Mail barcode as numbers that are quick to compute with: the upper and the lower 51 bits; the
    remainder by the radix of the last three codewords; and the quotient by it, as a number of billions and the rest.

    Arguments:
        data (column): A list: the bits are its first number, followed by the 18 decimal digits of its second.
#}
{% macro mail_limbs(data) -%}
    {% set billion, radix = 10**9, 636 * 1365**2 %}
    {% set first, last = dmail.list_item(data, 1), dmail.list_item(data, 2) %}
    {% set bits = dmail.wide_number(first) ~ " * " ~ dmail.wide_number(10**18) ~ " + " ~ last %}
    {% set upper = "cast(" ~ dmail.moved_bits(bits, -51) ~ " as bigint)" %}
    {% set lower = "cast(" ~ bits ~ " - " ~ dmail.wide_number(upper) ~ " * " ~ 2**51 ~ " as bigint)" %}
    {# A division by hand, with digits of nine decimal places each. #}
    {% set middle = "(" ~ first ~ " % " ~ radix ~ " * " ~ billion ~ " + " ~ dmail.quotient(last, billion) ~ ")" %}
    {% set rest = "(" ~ middle ~ " % " ~ radix ~ " * " ~ billion ~ " + " ~ last ~ " % " ~ billion ~ ")" %}
    {{-
        dmail.list_of(
            [
                upper,
                lower,
                rest ~ " % " ~ radix,
                dmail.quotient(first, radix) ~ " * " ~ billion ~ " + " ~ dmail.quotient(middle, radix),
                dmail.quotient(rest, radix),
            ]
        )
    -}}
{%- endmacro %}

{#
    The ten characters of an Intelligent Mail barcode with 13 bits each, four in a number. A bit of the frame check sequence inverts
    all bits of its character, and the last one adds 659 to the first codeword.

    Arguments:
        limbs (column): What `mail_limbs()` returned.
#}
{% macro mail_words(limbs) -%}
    {% set tables = dmail.intelligent_mail_tables() %}
    {% set upper, lower, initial = tables.upper.split(" "), tables.lower.split(" "), tables.initial.split(" ") %}
    {% set checks = [] %}
    {% for bit in range(11) %}
        {% set ones = [
            "bit_count(" ~ dmail.list_item(limbs, 1) ~ " & " ~ upper[bit] ~ ")",
            "bit_count(" ~ dmail.list_item(limbs, 2) ~ " & " ~ lower[bit] ~ ")",
            initial[bit],
        ] %}
        {% do checks.append("(" ~ ones | join(" + ") ~ ") % 2") %}
    {% endfor %}
    {% set radix, last = 1365**3, dmail.list_item(limbs, 3) %}
    {% set thousands, units = dmail.list_item(limbs, 4), dmail.list_item(limbs, 5) %}
    {% set rest = "(" ~ thousands ~ " % " ~ radix ~ " * " ~ 10**9 ~ " + " ~ units ~ ")" %}
    {% set middle = rest ~ " % " ~ radix %}
    {% set first = "(" ~ dmail.quotient(thousands, radix) ~ " * " ~ 10**9 ~ " + " ~ dmail.quotient(rest, radix) ~ ")" %}
    {% set codewords = [
        dmail.quotient(first, 1365**3) ~ " + " ~ checks[10] ~ " * 659",
        dmail.quotient(first, 1365**2) ~ " % 1365",
        dmail.quotient(first, 1365) ~ " % 1365",
        first ~ " % 1365",
        dmail.quotient(middle, 1365**2),
        dmail.quotient(middle, 1365) ~ " % 1365",
        middle ~ " % 1365",
        dmail.quotient(last, 636 * 1365),
        dmail.quotient(last, 636) ~ " % 1365",
        last ~ " % 636 * 2",
    ] %}
    {% set known = dmail.number_list(tables.characters) %}
    {% set characters = dmail.each_item(
        dmail.list_of(codewords), "mail_codeword", dmail.item_at(known, "mail_codeword + 1")
    ) %}
    {% set words = [] %}
    {% for first in [0, 4, 8] %}
        {% set summands = [] %}
        {% for place in range(first, [first + 4, 10] | min) %}
            {% set character = dmail.list_item("mail_characters", place + 1) %}
            {% set inverted = character ~ " + " ~ checks[place] ~ " * (8191 - 2 * " ~ character ~ ")" %}
            {% do summands.append("cast(" ~ inverted ~ " as bigint) * " ~ 8192 ** (place - first)) %}
        {% endfor %}
        {% do words.append(summands | join(" + ")) %}
    {% endfor %}
    {{- dmail.with_value(characters, "mail_characters", dmail.list_of(words)) -}}
{%- endmacro %}

{#
    The letters of the bars of an Intelligent Mail barcode. They are computed as digits of three numbers: 0 is T, 1 is D, 2 is A and 3 is
    F. Bits that move by as many places are moved at once.

    Arguments:
        words (column): What `mail_words()` returned.
#}
{% macro mail_bars(words) -%}
    {% set tables = dmail.intelligent_mail_tables() %}
    {% set texts = [] %}
    {% for first, count in [(0, 22), (22, 22), (44, 21)] %}
        {% set moves = {} %}
        {% for bar in range(first, first + count) %}
            {% for name, bit in [("descenders", 0), ("ascenders", 1)] %}
                {% set source = tables[name].split(" ")[bar] | int %}
                {% set target = 2 * (first + count - 1 - bar) + bit %}
                {% set move = (source // 52, target - source % 52) %}
                {% do moves.update({move: moves.get(move, 0) + 2 ** (source % 52)}) %}
            {% endfor %}
        {% endfor %}
        {% set parts = [] %}
        {% for word in range(3) %}
            {% set bits = [] %}
            {% for move, mask in moves.items() if move[0] == word %}
                {% do bits.append(dmail.moved_bits("mail_word & " ~ mask, move[1])) %}
            {% endfor %}
            {% do parts.append(dmail.with_value(dmail.list_item(words, word + 1), "mail_word", bits | join(" | "))) %}
        {% endfor %}
        {% do texts.append(dmail.base_four("(" ~ parts | join(" | ") ~ ")", count)) %}
    {% endfor %}
    translate({{ texts | join(" || ") }}, '0123', 'TDAF')
{%- endmacro %}
