{# The first anniversary of a timestamp on or after a moment, as a date. A 29 February is kept on the 28th in other years. #}
{% macro anniversary(column, moment) %} {{ return(adapter.dispatch("anniversary")(column, moment)) }}{% endmacro %}

{% macro duckdb__anniversary(column, moment) %}
    {% set years = "date_diff('year', " ~ column ~ ", " ~ moment ~ ")" %}
    {% set this_year = "cast(" ~ column ~ " + to_years(" ~ years ~ ") as date)" %}
    {% set next_year = "cast(" ~ column ~ " + to_years(" ~ years ~ " + 1) as date)" %}
    {{
        return(
            "case when "
            ~ this_year
            ~ " >= cast("
            ~ moment
            ~ " as date) then "
            ~ this_year
            ~ " else "
            ~ next_year
            ~ " end"
        )
    }}
{% endmacro %}

{% macro spark__anniversary(column, moment) %}
    {% set this_year = "add_months(" ~ column ~ ", 12 * (year(" ~ moment ~ ") - year(" ~ column ~ ")))" %}
    {% set next_year = "add_months(" ~ column ~ ", 12 * (year(" ~ moment ~ ") - year(" ~ column ~ ") + 1))" %}
    {{
        return(
            "case when "
            ~ this_year
            ~ " >= cast("
            ~ moment
            ~ " as date) then "
            ~ this_year
            ~ " else "
            ~ next_year
            ~ " end"
        )
    }}
{% endmacro %}
