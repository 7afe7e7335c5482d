{# The first anniversary of a timestamp on or after a moment, as a date. A 29 February is kept on the 28th in other years. #}
{% macro anniversary(column, moment) %}
    {% set this_year, next_year = dmail.anniversary_in(column, moment, 0), dmail.anniversary_in(column, moment, 1) %}
    {% set reached = this_year ~ " >= cast(" ~ moment ~ " as date)" %}
    {{ return("case when " ~ reached ~ " then " ~ this_year ~ " else " ~ next_year ~ " end") }}
{% endmacro %}

{# The anniversary in the year of a moment, or so many years later. #}
{% macro anniversary_in(column, moment, later) %}
    {{ return(adapter.dispatch("anniversary_in", "dmail")(column, moment, later)) }}
{% endmacro %}

{% macro duckdb__anniversary_in(column, moment, later) %}
    {% set years = "date_diff('year', " ~ column ~ ", " ~ moment ~ ") + " ~ later %}
    {{ return("cast(" ~ column ~ " + to_years(" ~ years ~ ") as date)") }}
{% endmacro %}

{% macro spark__anniversary_in(column, moment, later) %}
    {% set years = "(year(" ~ moment ~ ") - year(" ~ column ~ ") + " ~ later ~ ")" %}
    {{ return("add_months(" ~ column ~ ", 12 * " ~ years ~ ")") }}
{% endmacro %}
