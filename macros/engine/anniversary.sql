{#
    The first anniversary of a timestamp on or after a moment, as a date. In other years, 29 February is 28 February.

    Arguments:
        column (column): The timestamp.
        moment (column): The moment.
#}
{% macro anniversary(column, moment) %}
    {% set this_year = dmail.anniversary_in(column, moment, 0) %}
    {% set next_year = dmail.anniversary_in(column, moment, 1) %}
    {% set first %}
        case when {{ this_year }} >= cast({{ moment }} as date) then {{ this_year }} else {{ next_year }} end
    {% endset %}
    {{ return(first) }}
{% endmacro %}

{#
    The anniversary of a timestamp in the year of a moment, or in a later one, as a date.

    Arguments:
        column (column): The timestamp.
        moment (column): The moment.
        later (int): The number of years after the moment's year.
#}
{% macro anniversary_in(column, moment, later) %}
    {{ return(adapter.dispatch("anniversary_in", "dmail")(column, moment, later)) }}
{% endmacro %}

{% macro duckdb__anniversary_in(column, moment, later) %}
    {% set day %} cast({{ column }} + to_years(date_diff('year', {{ column }}, {{ moment }}) + {{ later }}) as date) {% endset %}
    {{ return(day) }}
{% endmacro %}

{% macro spark__anniversary_in(column, moment, later) %}
    {% set day %} add_months({{ column }}, 12 * (year({{ moment }}) - year({{ column }}) + {{ later }})) {% endset %}
    {{ return(day) }}
{% endmacro %}

{% macro postgres__anniversary_in(column, moment, later) %}
    {% set years %} year({{ moment }}) - year({{ column }}) + {{ later }} {% endset %}
    {{ return("cast(" ~ column ~ " + make_interval(years => " ~ years ~ ") as date)") }}
{% endmacro %}
