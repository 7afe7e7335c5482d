{#
    The printed block of an address as a list of lines, in the order and the capitals of its country's post: what
    address_block() and address_block_text() are made of, and where their arguments and outcomes are told.
#}
{% macro address_lines(lines, sender_country, language, name, company, street, macro_name) -%}
    {% set languages = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da"] %}
    {% set faults = [] %}
    {% if lines is not none and (lines is not integer or lines is boolean or lines < 3 or lines > 12) %}
        {% do faults.append("`lines` takes a number from 3 to 12, not `" ~ lines ~ "`") %}
    {% endif %}
    {% if sender_country is not string or not modules.re.fullmatch("[A-Z]{2}", sender_country) %}
        {% do faults.append("`sender_country` takes an ISO code such as US, not `" ~ sender_country ~ "`") %}
    {% endif %}
    {% if language not in languages %}
        {% do faults.append("`language` takes " ~ languages | join(", ") ~ ", not `" ~ language ~ "`") %}
    {% endif %}
    {% if street is string or street is not sequence or not street %}
        {% do faults.append("`street` takes a list of columns, not `" ~ street ~ "`") %}
    {% endif %}
    {% if faults %} {{ exceptions.raise_compiler_error(macro_name ~ "(): " ~ faults | join("; ")) }} {% endif %}

    {# No value has a control character: chr(1) opens a field, chr(2) stands for an empty one, chr(3) is between street lines. #}
    {% set abroad = "country_code <> '" ~ sender_country ~ "'" %}
    {% set code = "case when " ~ abroad ~ " then postal_code_prefix || postal_code end" %}
    {% set fields = {
        "N": name,
        "O": company,
        "A": "nullif(concat_ws(chr(3), " ~ street | join(", ") ~ "), '')",
        "C": "city",
        "S": "region",
        "Z": "coalesce(" ~ code ~ ", postal_code)",
    } %}
    {% set block = namespace(text="replace(replace(address_format, '%n', chr(10)), '%', chr(1))") %}
    {% for letter, value in fields.items() %}
        {# The capital of ß is in no typeface that can be counted on. #}
        {% set printed = (
            "case when contains(capital_fields, '"
            ~ letter
            ~ "') then "
            ~ dmail.upper_case("replace(" ~ value ~ ", 'ß', 'ss')")
            ~ " else "
            ~ value
            ~ " end"
        ) %}
        {% set block.text = (
            "replace(" ~ block.text ~ ", chr(1) || '" ~ letter ~ "', coalesce(" ~ printed ~ ", chr(2)))"
        ) %}
    {% endfor %}
    {# An empty field takes the separator before it away, at the start of a line the one after it; an empty line goes. #}
    {% set block.text = dmail.replace_all(block.text, "(^|\\n)((〒|FO|HT|AZ )?\\x02[ ,/-]*)+", "\\1") %}
    {% set block.text = dmail.replace_all(block.text, "[ ,/-]*\\x02", "") %}
    {% set block.text = dmail.trimmed_of(dmail.replace_all(block.text, " *\\n[ \\n]*", "\n"), "' ' || chr(10)") %}
    {% set country = (
        "case when "
        ~ abroad
        ~ " then chr(10) || upper("
        ~ dmail.look_up("country_names", language)
        ~ ") else '' end"
    ) %}
    {% set fitted %}
        {% if lines is none %}replace(block, chr(3), chr(10))
        {% else %}
            case
                when length(block) - length(translate(block, chr(3) || chr(10), '')) < {{ lines }}
                then replace(block, chr(3), chr(10))
                when length(block) - length(replace(block, chr(10), '')) < {{ lines }}
                then replace(block, chr(3), ', ')
            end
        {% endif %}
    {% endset %}
    {{ dmail.with_value(block.text ~ " || " ~ country, "block", dmail.split_lines(fitted)) }}
{%- endmacro %}
