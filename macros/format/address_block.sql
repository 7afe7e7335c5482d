{#
    The printed block of an address, as the columns `address_block_1` to `address_block_N` of a select list. It has the order and the
    capitals that the post of the country asks for and, if the letter leaves the sender's country, that country's name in capitals
    as the last line. Lines without content are removed, and the columns after the last line are null. What a country's format does
    not name is not printed, such as the region in Germany.

    A block that is too long never loses a line. The street lines are joined by a comma. If that is not enough, or the country is
    unknown, all columns are null: declare `address_block_1` not_null in the contract, and the build fails.

    It reads the columns of `postal_addresses()`.

    Arguments:
        lines (int): The number of lines on the paper, 3 to 12.
        sender_country (string): ISO 3166-1 alpha-2 of the country in which the letters are posted. By default, the variable
            `home_country`.
        language (string): The language of the country's name, which the sender's post reads: en, de, fr, es, it, pt, nl, pl, sv or da.
        name (column): The recipient's name.
        company (column): The organisation. 'null' prints none.
        street (list[column]): The street lines.
        columns (string): The beginning of the columns' names.
#}
{% macro address_block(
    lines=6,
    sender_country=var("home_country"),
    language="en",
    name="full_name",
    company="company",
    street=["address_line1", "address_line2"],
    columns="address_block"
) -%}
    {% set block = dmail.address_lines(lines, sender_country, language, name, company, street, "address_block") %}
    {% for line in range(1, lines + 1) %}
        {{ dmail.list_item(block, line) }} as {{ columns }}_{{ line }} {{- "," if not loop.last }}
    {% endfor %}
{%- endmacro %}
