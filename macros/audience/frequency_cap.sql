{#
    Excludes profiles that have received enough pieces. Every contact of the history counts, including pieces on their way, and
    pieces of later slots if this slot is run late. The pieces of this file count, too: only as many members of a household are kept as
    it may still receive pieces, in the order of `profile_id`, unless `one_per()` has chosen among them.

    Arguments:
        pieces (int): The number of pieces after which a profile is excluded.
        days (optional[int]): A rolling window: contacts within this many calendar days before or after the slot's day count, in the
            campaign's zone. A weekly mailing is never stopped by its own contacts of a week ago with `days=7`.
        per (optional[string]): A calendar window, in the campaign's zone, instead of `days`: 'week', 'month', 'quarter' or 'year'.
        unit (string): Whose pieces are counted: 'profile' or 'household'.
        campaigns (any): The campaigns whose contacts count: 'this', 'all', or a list of names.
        purpose (string): With `campaigns='all'`, the purpose of the campaigns whose contacts count: 'marketing', 'contractual' or 'all'.
#}
{% macro frequency_cap(pieces, days=none, per=none, unit="profile", campaigns="all", purpose="marketing") %}
    {% do dmail.number_between("frequency_cap", "pieces", pieces, 1, 1000) %}
    {% do dmail.one_of("frequency_cap", "unit", unit, ["profile", "household"]) %}
    {% if (days is none) == (per is none) %}
        {{ exceptions.raise_compiler_error("frequency_cap(): it needs either `days` or `per`") }}
    {% endif %}
    {% if per %}
        {% do dmail.one_of("frequency_cap", "per", per, ["week", "month", "quarter", "year"]) %}
        {% set window = dmail.within_period("slot", per) %}
    {% else %}
        {% do dmail.number_between("frequency_cap", "days", days, 1, 10000) %}
        {% set window = dmail.within_days("slot", days) %}
    {% endif %}
    {% set key = "profile_id" if unit == "profile" else "household_key" %}
    {% set counted %}
        select {{ key }} as capped_key, count(*) as capped_pieces
        from {{ dmail.role_model("contact_history") }}
        where {{ dmail.contact_filter("frequency_cap", campaigns, window, purpose) }} and {{ key }} is not null
        group by {{ key }}
    {% endset %}
    {% set joins = [{"query": counted, "on": key ~ " = capped_key"}] %}
    {% set received = "coalesce(capped_pieces, 0)" %}
    {% if unit == "household" %}
        {% set counted_earlier %}
            select household_key as capped_earlier_key, count(*) as capped_earlier_pieces
            from {{ dmail.role_model("contact_history") }}
            where
                {{ dmail.contact_filter("frequency_cap", campaigns, window, purpose) }}
                and {{ dmail.is_earlier_key("household_key") }}
            group by household_key
        {% endset %}
        {% do joins.append({"query": counted_earlier, "on": "earlier_household_key = capped_earlier_key"}) %}
        {% set received = "(coalesce(capped_pieces, 0) + coalesce(capped_earlier_pieces, 0))" %}
    {% endif %}
    {% set shows = {"pieces in the window": received, "allowed": pieces} %}
    {% set rule = {
        "reason": "frequency_cap",
        "counts_contacts": true,
        "joins": joins,
        "condition": received ~ " >= " ~ pieces,
        "shows": shows,
    } %}
    {% if unit == "household" %}
        {% set within_file = {
            "reason": "frequency_cap",
            "name": "frequency_cap in this file",
            "joins": joins,
            "unit": [key],
            "keep": [],
            "first": pieces ~ " - " ~ received,
            "shows": {"pieces left for the household": pieces ~ " - " ~ received},
        } %}
        {% do rule.update({"within_file": within_file}) %}
    {% endif %}
    {{ return(rule) }}
{% endmacro %}
