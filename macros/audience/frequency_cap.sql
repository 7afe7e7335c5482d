{#
    Out: so many pieces are enough for now. Everything that was put in a file counts, also while it is under way, and also what a
    later slot has sent already.

    Arguments:
        pieces     how many a window may hold
        days       a rolling window: so many days before the slot (and after it, where a slot is made late)
        per        a calendar window instead: week, month, quarter or year (UTC)
        unit       profile or household
        campaigns  'all', 'this', or a list of campaigns
#}
{% macro frequency_cap(pieces, days=none, per=none, unit="profile", campaigns="all") %}
    {% do dmail.number_between("frequency_cap", "pieces", pieces, 1, 1000) %}
    {% do dmail.one_of("frequency_cap", "unit", unit, ["profile", "household"]) %}
    {% if (days is none) == (per is none) %}
        {{ exceptions.raise_compiler_error("frequency_cap(): it needs either `days` or `per`") }}
    {% endif %}
    {% if per %}
        {% do dmail.one_of("frequency_cap", "per", per, ["week", "month", "quarter", "year"]) %}
        {% set window = "date_trunc('" ~ per ~ "', slot) = date_trunc('" ~ per ~ "', " ~ dmail.slot() ~ ")" %}
    {% else %}
        {% do dmail.number_between("frequency_cap", "days", days, 1, 10000) %}
        {% set reach = "interval " ~ days ~ " day" %}
        {% set window = "slot > " ~ dmail.slot() ~ " - " ~ reach ~ " and slot < " ~ dmail.slot() ~ " + " ~ reach %}
    {% endif %}
    {% set key = "profile_id" if unit == "profile" else "household_key" %}
    {{
        return(
            {
                "reason": "frequency_cap",
                "joins": [
                    {
                        "query": "select "
                        ~ key
                        ~ " as capped_key, count(*) as capped_pieces "
                        ~ dmail.contacts("frequency_cap", campaigns, window)
                        ~ " and "
                        ~ key
                        ~ " is not null group by "
                        ~ key,
                        "on": key ~ " = capped_key",
                    }
                ],
                "condition": "coalesce(capped_pieces, 0) >= " ~ pieces,
                "shows": {"pieces in the window": "coalesce(capped_pieces, 0)", "allowed": pieces},
            }
        )
    }}
{% endmacro %}
