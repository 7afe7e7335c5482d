{#
    A person's name on one line, or the company if there is no person. It is null if there is neither.

        full        Dr Ann Maria Ray
        formal      Dr Ray; without a title Ann Maria Ray
        first_last  Ann Maria Ray
        last_first  Ray, Ann Maria

    A name that is too long is shortened step by step until it fits: without the title (Ann Maria Ray), with initials (A. M. Ray;
    Ray, A. M.), without first names (Ray). Nothing is cut. If no form fits, the name is null, and so is a company that is too long:
    declare the column not_null, and the build fails.

    Arguments:
        title (optional[column]): The form of address.
        first_name (optional[column]): The first names.
        last_name (optional[column]): The last name.
        company (optional[column]): The organisation.
        style (string): 'full', 'formal', 'first_last' or 'last_first'.
        case (optional[string]): 'upper' writes postal capitals, 'proper' applies `proper_case()`. By default, the case stays.
        max_length (optional[int]): The greatest number of characters.
        language (optional[column]): The language for 'proper', as for `proper_case()`.
#}
{% macro person_name(
    title, first_name, last_name, company=none, style="full", case=none, max_length=none, language=none
) -%}
    {% set styles = ["full", "formal", "first_last", "last_first"] %}
    {% if style not in styles %}
        {{
            exceptions.raise_compiler_error(
                "person_name(): unknown style `" ~ style ~ "`; it accepts " ~ styles | join(", ")
            )
        }}
    {% elif case not in [none, "upper", "proper"] %}
        {{
            exceptions.raise_compiler_error(
                "person_name(): unknown case `" ~ case ~ "`; it accepts none, upper, proper"
            )
        }}
    {% elif max_length is not none and (max_length is not integer or max_length < 1) %}
        {{
            exceptions.raise_compiler_error(
                "person_name(): `max_length` accepts a whole number from 1, not `" ~ max_length ~ "`"
            )
        }}
    {% endif %}
    {% set title, first, last = (
        dmail.in_case(title, case, language),
        dmail.in_case(first_name, case, language),
        dmail.in_case(last_name, case, language),
    ) %}
    {# Proper case is for people. It would turn IBM into Ibm. #}
    {% set company = dmail.in_case(company, case if case == "upper") %}
    {% set initials = dmail.initials_of(first) %}
    {% if style == "last_first" %}
        {% set forms = [
            "nullif(concat_ws(', ', " ~ last ~ ", " ~ first ~ "), '')",
            last ~ " || ', ' || " ~ initials,
            last,
        ] %}
    {% else %} {% set forms = [dmail.join_words([first, last]), initials ~ " || ' ' || " ~ last, last] %}
    {% endif %}
    {% set any_name = "coalesce(" ~ first ~ ", " ~ last ~ ")" %}
    {% if style == "full" %}
        {% set titled %}
            case when {{ any_name }} is not null then {{ dmail.join_words([title, first, last]) }} end
        {% endset %}
        {% set forms = [titled] + forms %}
    {% elif style == "formal" %} {% set forms = [title ~ " || ' ' || " ~ last] + forms %}
    {% endif %}
    {% if max_length is none %} coalesce({{ (forms + [company]) | join(", ") }})
    {% else %}
        case
            when {{ any_name }} is null
            then case when length({{ company }}) <= {{ max_length }} then {{ company }} end
            {% for form in forms %} when length({{ form }}) <= {{ max_length }} then {{ form }}
            {% endfor %}
        end
    {% endif %}
{%- endmacro %}

{#
    One part of a name in a case.

    Arguments:
        column (optional[column]): The part.
        case (optional[string]): 'upper', 'proper', or none.
        language (optional[column]): The language for 'proper'.
#}
{% macro in_case(column, case, language=none) -%}
    {%- if column is none -%} cast(null as string)
    {%- elif case == "upper" -%} {{ dmail.upper_text(column) }}
    {%- elif case == "proper" -%} {{ dmail.proper_case(column, language) }}
    {%- else -%} {{ dmail.blank_to_null(column) }}
    {%- endif -%}
{%- endmacro %}

{#
    The initials of first names: Ann Maria becomes A. M., Jean-Paul J.-P., and J.R. stays.

    Arguments:
        column (column): The first names.
#}
{% macro initials_of(column) -%}
    {{ dmail.replace_all(column, "(\\p{L}\\p{M}*)[\\p{L}\\p{M}'’\\x{200c}\\x{200d}]*\\.?", "\\1.") }}
{%- endmacro %}
