{#
    The printed block of an address as one text. It is null if the country is unknown or the block has too many lines, as for
    `address_block()`.

    Arguments:
        separator (string): The text between two lines.
        lines (optional[int]): The greatest number of lines, 3 to 12. By default, there is no limit.
        sender_country (string): As for `address_block()`.
        language (string): As for `address_block()`.
        name (column): The recipient's name.
        company (column): The organisation. 'null' prints none.
        street (list[column]): The street lines.
#}
{% macro address_block_text(
    separator=", ",
    lines=none,
    sender_country=var("home_country"),
    language="en",
    name="full_name",
    company="company",
    street=["address_line1", "address_line2"]
) -%}
    {% set block = dmail.address_lines(lines, sender_country, language, name, company, street, "address_block_text") %}
    {{ dmail.join_list(block, separator) }}
{%- endmacro %}
