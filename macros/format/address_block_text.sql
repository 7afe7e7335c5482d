{#
    The printed block of an address as one text, with a separator between its lines; null where the country is unknown, or where
    the block has too many lines, as address_block() tells. Without `lines` it may have any number of them.

    Arguments: those of address_block(), without `columns`, and
        separator  what stands between two lines
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
