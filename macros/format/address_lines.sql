{#
    The printed block of an address as a list of lines, for `address_block()` and `address_block_text()`.

    Arguments:
        lines (optional[int]): The greatest number of lines, 3 to 12. None is no limit.
        sender_country (string): ISO 3166-1 alpha-2 of the country in which the letters are posted.
        language (string): The language of the country's name.
        name (column): The recipient's name.
        company (column): The organisation.
        street (list[column]): The street lines.
        macro_name (string): The calling macro, for error messages.
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

    {# No value has control characters: chr(1) marks a field, chr(2) an empty field, and chr(3) separates street lines. #}
    {% set inland = dmail.posted_inland(sender_country) %}
    {% set abroad = "not contains('" ~ inland ~ "', country_code)" %}
    {% set street_lines %} nullif(concat_ws(chr(3), {{ street | join(", ") }}), '') {% endset %}
    {% set code %} coalesce(case when {{ abroad }} then postal_code_prefix || postal_code end, postal_code) {% endset %}
    {% set region %} nullif(coalesce(printed_region, region), '') {% endset %}
    {# Of a city and a region with one name, the post prints one: the one in capitals. #}
    {% set plain_city, plain_region = (
        dmail.without_accents(dmail.lower_case("city")),
        dmail.without_accents(dmail.lower_case(region)),
    ) %}
    {% set in_region = "contains(capital_fields, 'S') and not contains(capital_fields, 'C')" %}
    {% set in_region = in_region ~ " and contains(address_format, '%S')" %}
    {% set city %} case when {{ plain_city }} = {{ plain_region }} and {{ in_region }} then null else city end {% endset %}
    {% set region %}
        case when {{ plain_city }} = {{ plain_region }} and not ({{ in_region }}) then null else {{ region }} end
    {% endset %}
    {% set fields = {"N": name, "O": company, "A": street_lines, "C": city, "S": region, "Z": code} %}
    {% set block = namespace(text="replace(replace(address_format, '%n', chr(10)), '%', chr(1))") %}
    {% for letter, value in fields.items() %}
        {% set block.text %}
            replace(
                {{ block.text }},
                chr(1) || '{{ letter }}',
                coalesce(
                    case
                        when contains(capital_fields, '{{ letter }}')
                        then {{ dmail.capitals_of_country(value, "country_code") }}
                        else {{ value }}
                    end,
                    chr(2)
                )
            )
        {% endset %}
    {% endfor %}
    {# An empty field takes along the separator before it or, at the start of a line, the one after it. Empty lines are removed. #}
    {% set block.text = dmail.replace_all(block.text, "(^|\\n)((〒|FO|HT|AZ )?\\x02[ ,/-]*)+", "\\1") %}
    {% set block.text = dmail.replace_all(block.text, "[ ,/-]*\\x02", "") %}
    {% set block.text = dmail.trimmed_of(dmail.replace_all(block.text, " *\\n[ \\n]*", "\n"), "' ' || chr(10)") %}
    {% set country %}
        case
            when {{ abroad }} then chr(10) || upper({{ dmail.look_up("country_names", language) }}) else ''
        end
    {% endset %}
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

{#
    The countries to which a letter is posted as within the sender's country: it carries no country line and no country prefix. They are
    the country and its territories in both directions, as their posts define it (USPS: Publication 28; La Poste: Outre-mer; Royal
    Mail: Crown Dependencies; Posti and Åland Post; Australia Post; Posten Norge).

    Arguments:
        sender_country (string): ISO 3166-1 alpha-2.
#}
{% macro posted_inland(sender_country) %}
    {% for group in [
        "US PR GU VI AS MP UM FM MH PW",
        "FR GP MQ GF RE YT PM BL MF NC PF WF TF",
        "GB JE GG IM",
        "FI AX",
        "AU CC CX NF HM",
        "NO SJ BV",
    ] if sender_country in group.split(" ") %}
        {{ return(group) }}
    {% endfor %}
    {{ return(sender_country) }}
{% endmacro %}
