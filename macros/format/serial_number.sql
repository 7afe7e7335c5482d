{#
    The serial number of a piece, for `tracking_code()`: digits with leading zeros. No two pieces of a mailer whose slots are up to
    `days` apart have the same one.

    The variable `dmail_serial_numbers` gives each campaign a range of the mailer's numbers, and no two ranges overlap. The range is
    divided into blocks. The periods of `every` days take the blocks in turn, and the rows of a run take the numbers of its block in
    turn. The same rows of a slot get the same numbers, whenever it is built.

    The build stops if another run of the campaign has used the block: a run of the same period, or the original of a copy. The number
    is null for rows beyond the end of the block: declare the column not_null, and the build fails.

    Arguments:
        mailer_id (string): The mailer's number.
        every (int): The days of a period, in which the campaign has one run at most: 1 for daily runs, 7 for weekly ones. Longer periods
            have larger blocks.
        days (int): The days for which a number is not used again: the post's 45 days, and the time from the slot to the mailing.
        order_by (column): The column that identifies a row.
#}
{% macro serial_number(mailer_id, every=1, days=60, order_by="piece_id") -%}
    {% set digits = dmail.serial_digits(mailer_id) %}
    {% do dmail.number_between("serial_number", "every", every, 1, 366) %}
    {% do dmail.number_between("serial_number", "days", days, 45, 366) %}
    {% set first, last = dmail.serial_range(mailer_id, digits) %}
    {% set blocks = (days + every - 1) // every + 1 %}
    {% set size = (last - first + 1) // blocks %}
    {% set period = (dmail.slot_day() - modules.datetime.date(1970, 1, 1)).days // every %}
    {% set place = "row_number() over (order by " ~ order_by ~ ")" %}
    {% set message %}
        serial_number(): another run of {{ dmail.campaign_name() }} has used the numbers of these {{ every }} days, or this run is a
        copy; mail with a slot of another period
    {% endset %}
    case
        when {{ dmail.serials_are_used(period * every, every) }}
        then {{ dmail.fail(dmail.sql_text(message.split() | join(" "))) }}
        when {{ place }} <= {{ size }}
        then lpad(cast({{ first + period % blocks * size - 1 }} + {{ place }} as string), {{ digits }}, '0')
    end
{%- endmacro %}

{#
    SQL that is true if another run of the campaign has used the serial numbers of a period.

    Arguments:
        day (int): The first day of the period, counted from 1970-01-01.
        every (int): The number of its days.
#}
{% macro serials_are_used(day, every) -%}
    {% set begin = modules.datetime.date(1970, 1, 1) + modules.datetime.timedelta(days=day) %}
    {% set end = begin + modules.datetime.timedelta(days=every) %}
    {% set contacts = dmail.role_model("contact_history") %}
    {%- if dmail.original() -%} true
    {%- else -%}
        exists (
            select 1
            from {{ contacts }}
            where
                campaign = {{ dmail.sql_text(dmail.campaign_name()) }}
                and slot >= {{ dmail.start_of_day(begin) }}
                and slot < {{ dmail.start_of_day(end) }}
                and slot <> {{ dmail.slot() }}
        )
    {%- endif -%}
{%- endmacro %}

{#
    The first and the last serial number of the campaign. Raises a compile error if its range is missing or not valid, or overlaps
    another one of the mailer.

    Arguments:
        mailer_id (string): The mailer's number.
        digits (int): The number of digits of its serial numbers.
#}
{% macro serial_range(mailer_id, digits) %}
    {% set name, ranges = dmail.campaign_name(), var("dmail_serial_numbers", {}).get(mailer_id, {}) %}
    {% set place = "the variable `dmail_serial_numbers`, mailer `" ~ mailer_id ~ "`" %}
    {% if name not in ranges %}
        {{
            exceptions.raise_compiler_error(
                place ~ ": it has no range for " ~ name ~ ", such as `" ~ name ~ ": [0, 99999]`"
            )
        }}
    {% endif %}
    {% for campaign, range in ranges.items() %}
        {% if not dmail.is_range(range, 10**digits - 1) %}
            {{
                exceptions.raise_compiler_error(
                    place
                    ~ ", "
                    ~ campaign
                    ~ ": it accepts [first, last] within 0 to "
                    ~ (10**digits - 1)
                    ~ ", not "
                    ~ range
                )
            }}
        {% endif %}
    {% endfor %}
    {% for campaign, range in ranges.items() %}
        {% for other, its in ranges.items() if other != campaign and its[0] <= range[1] and range[0] <= its[1] %}
            {{ exceptions.raise_compiler_error(place ~ ": the ranges of " ~ campaign ~ " and " ~ other ~ " overlap") }}
        {% endfor %}
    {% endfor %}
    {{ return(ranges[name]) }}
{% endmacro %}

{#
    Whether a value is a list of two whole numbers in order, from 0 to a greatest one.

    Arguments:
        value (any): The value.
        most (int): The greatest number.
#}
{% macro is_range(value, most) %}
    {% set listed = value is iterable and value is not string and value is not mapping and value | length == 2 %}
    {% set whole = listed and value[0] is integer and value[1] is integer %}
    {{ return(whole and 0 <= value[0] and value[0] <= value[1] and value[1] <= most) }}
{% endmacro %}
