{#
    The printed block of an address, as the columns address_block_1 to address_block_N of a select list: everything on its line, in
    the order and the capitals of its country's post, and, where the letter leaves the sender's country, that country's name in
    capitals last. There are no gaps: what is over at the end is null. It reads columns of int_postal_addresses, and prints of
    them what the country's format names: no region in Germany, no postal code in Hong Kong.

    A block that is too long never loses a line. The street lines are joined by a comma; where that is not enough, or the country
    is unknown, all columns are null: let address_block_1 be not null in the extract's contract, and the build says so.

    Arguments:
        lines           how many lines the paper has, 3 to 12
        sender_country  ISO 3166-1 alpha-2 of the country in which the letters are posted; as a rule, the home country
        language        of the country's name, which the sender's post reads: en, de, fr, es, it, pt, nl, pl, sv or da
        name            SQL of the recipient's name
        company         SQL of the organisation; 'null' prints none
        street          list of SQL, the street lines
        columns         what the columns' names begin with
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
