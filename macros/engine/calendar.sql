{#
    The time zone of the campaign's schedule, by which rules count days, weeks and months. It is UTC without a schedule.
#}
{% macro campaign_zone() %}
    {% set found = namespace(zone="UTC") %}
    {% for exposure in graph.get("exposures", {}).values() if exposure.name == dmail.campaign_name() %}
        {% set mail = (exposure.config.get("meta") or exposure.get("meta") or {}).get("direct_mail") %}
        {% if mail is mapping and mail.schedule is mapping %}
            {% set found.zone = mail.schedule.get("timezone") or "UTC" %}
        {% endif %}
    {% endfor %}
    {{ return(found.zone) }}
{% endmacro %}

{#
    SQL that is true for moments within so many calendar days before or after the slot's day, in the campaign's zone. A weekly mailing
    is outside of 7 days, also in the weeks in which the clocks change.

    Arguments:
        column (column): The timestamp, in UTC.
        days (int): The number of days. With 1, only the slot's own day counts.
        later (bool): Whether days after the slot's day count, too. Otherwise, there is no upper bound.
#}
{% macro within_days(column, days, later=true) %}
    {% set day = dmail.slot_day() %}
    {% set first = dmail.start_of_day(day - modules.datetime.timedelta(days=days - 1)) %}
    {% set beyond = dmail.start_of_day(day + modules.datetime.timedelta(days=days)) %}
    {{ return(column ~ " >= " ~ first ~ (" and " ~ column ~ " < " ~ beyond if later else "")) }}
{% endmacro %}

{#
    SQL that is true for moments in the slot's calendar week, month, quarter or year, in the campaign's zone. Weeks begin on Monday.

    Arguments:
        column (column): The timestamp, in UTC.
        period (string): 'week', 'month', 'quarter' or 'year'.
#}
{% macro within_period(column, period) %}
    {% set day = dmail.slot_day() %}
    {% if period == "week" %}
        {% set first = day - modules.datetime.timedelta(days=day.weekday()) %}
        {% set next = first + modules.datetime.timedelta(days=7) %}
    {% else %}
        {% set months = {"month": 1, "quarter": 3, "year": 12}[period] %}
        {% set month = (day.month - 1) // months * months %}
        {% set first = modules.datetime.date(day.year, month + 1, 1) %}
        {% set following = day.year * 12 + month + months %}
        {% set next = modules.datetime.date(following // 12, following % 12 + 1, 1) %}
    {% endif %}
    {{ return(column ~ " >= " ~ dmail.start_of_day(first) ~ " and " ~ column ~ " < " ~ dmail.start_of_day(next)) }}
{% endmacro %}

{# The slot's day in the campaign's zone. #}
{% macro slot_day() %}
    {% set at = modules.datetime.datetime.fromisoformat(dmail.slot().split("'")[1]) %}
    {{ return(modules.pytz.utc.localize(at).astimezone(modules.pytz.timezone(dmail.campaign_zone())).date()) }}
{% endmacro %}

{#
    The first moment of a day in the campaign's zone, as a timestamp literal in UTC.

    Arguments:
        day (any): The day.
#}
{% macro start_of_day(day) %}
    {% set zone = modules.pytz.timezone(dmail.campaign_zone()) %}
    {% set midnight = modules.datetime.datetime(day.year, day.month, day.day) %}
    {# Of two midnights the first one. Where the clocks skip midnight, the day begins when they have changed. #}
    {% set at = zone.localize(midnight, is_dst=true) %}
    {% if at.astimezone(modules.pytz.utc).astimezone(zone).replace(tzinfo=none) != midnight %}
        {% set at = zone.localize(midnight, is_dst=false) %}
    {% endif %}
    {{ return("timestamp '" ~ at.astimezone(modules.pytz.utc).strftime("%Y-%m-%d %H:%M:%S") ~ "'") }}
{% endmacro %}
