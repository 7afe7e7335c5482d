{#
    Excludes profiles that have received enough pieces. Every contact of the history counts, including pieces on their way, and
    pieces of later slots if this slot is run late.

    Arguments:
        pieces (int): The number of pieces after which a profile is excluded.
        days (optional[int]): A rolling window: contacts within this many days before or after the slot count.
        per (optional[string]): A calendar window (UTC) instead of `days`: 'week', 'month', 'quarter' or 'year'.
        unit (string): Whose pieces are counted: 'profile' or 'household'.
        campaigns (any): The campaigns whose contacts count: 'this', 'all', or a list of names.
#}
{% macro frequency_cap(pieces, days=none, per=none, unit="profile", campaigns="all") %}
    {% do dmail.number_between("frequency_cap", "pieces", pieces, 1, 1000) %}
    {% do dmail.one_of("frequency_cap", "unit", unit, ["profile", "household"]) %}
    {% if (days is none) == (per is none) %}
        {{ exceptions.raise_compiler_error("frequency_cap(): it needs either `days` or `per`") }}
    {% endif %}
    {% if per %}
        {% do dmail.one_of("frequency_cap", "per", per, ["week", "month", "quarter", "year"]) %}
        {% set window %} date_trunc('{{ per }}', slot) = date_trunc('{{ per }}', {{ dmail.slot() }}) {% endset %}
    {% else %}
        {% do dmail.number_between("frequency_cap", "days", days, 1, 10000) %}
        {% set window %}
            slot > {{ dmail.slot() }} - interval {{ days }} day and slot < {{ dmail.slot() }} + interval {{ days }} day
        {% endset %}
    {% endif %}
    {% set key = "profile_id" if unit == "profile" else "household_key" %}
    {% set counted %}
        select {{ key }} as capped_key, count(*) as capped_pieces
        from {{ dmail.role_model("contact_history") }}
        where {{ dmail.contact_filter("frequency_cap", campaigns, window) }} and {{ key }} is not null
        group by {{ key }}
    {% endset %}
    {{
        return(
            {
                "reason": "frequency_cap",
                "joins": [{"query": counted, "on": key ~ " = capped_key"}],
                "condition": "coalesce(capped_pieces, 0) >= " ~ pieces,
                "shows": {"pieces in the window": "coalesce(capped_pieces, 0)", "allowed": pieces},
            }
        )
    }}
{% endmacro %}
