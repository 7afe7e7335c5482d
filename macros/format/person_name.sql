{#
    A person's name on one line, or the company where there is no person's name; null where there is neither.

    Arguments:
        title, first_name, last_name, company  column expressions; `none` for one that is not there
        style       full        Dr Ann Maria Ray
                    formal      Dr Ray; without a title Ann Maria Ray
                    first_last  Ann Maria Ray
                    last_first  Ray, Ann Maria
        case        none: as the data has it; upper: postal capitals; proper: by proper_case()
        max_length  how many characters there is room for

    A name that is too long is shortened, step by step until it fits: the title goes (Ann Maria Ray), first names become initials
    (A. M. Ray; Ray, A. M.), first names go (Ray). Nothing is ever cut: a name that does not fit as a last name alone, a first name
    without a last name, or a company that is too long, is null. Declare the column `not_null`, and the build stops.
#}
{% macro person_name(title, first_name, last_name, company=none, style="full", case=none, max_length=none) -%}
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
    {% set title, first, last = dmail.in_case(title, case), dmail.in_case(first_name, case), dmail.in_case(last_name, case) %}
    {# Proper case is for people: it would spoil IBM. #}
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
        {% set titled = "case when " ~ any_name ~ " is not null then " ~ dmail.join_words([title, first, last]) ~ " end" %}
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

{# One part of a name in the case asked for. #}
{% macro in_case(column, case) -%}
    {%- if column is none -%} cast(null as string)
    {%- elif case == "upper" -%} {{ dmail.upper_text(column) }}
    {%- elif case == "proper" -%} {{ dmail.proper_case(column) }}
    {%- else -%} {{ dmail.blank_to_null(column) }}
    {%- endif -%}
{%- endmacro %}

{# Ann Maria: A. M.; Jean-Paul: J.-P.; J.R.: J.R. #}
{% macro initials_of(column) -%}
    {{ dmail.replace_all(column, "(\\p{L}\\p{M}*)[\\p{L}\\p{M}'’\\x{200c}\\x{200d}]*\\.?", "\\1.") }}
{%- endmacro %}
