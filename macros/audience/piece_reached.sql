{#
    SQL that is true for profiles whose piece has reached a status within the slot's window, such as "delivered three days ago". It is for
    the audience of a triggered campaign: docs/scheduling.md.

    The moment of a piece is `days` after its status, or the time when `dmail-runner fetch` received the first report of it, if that is later.
    A report that arrives late is therefore in a later window, and nobody is lost; later reports of the same status change nothing, and nobody
    is mailed twice. Pieces that are known to have been returned, or not delivered, before the slot do not count.

    Arguments:
        status (string): One of in_transit, delivered, rerouted, returned, failed.
        campaigns (list[string]): The campaigns whose pieces count. They must not include the campaign itself.
        days (int): The days after the status.
        late_days (int): How many days before the window `in_window()` searches for rows that no letter has answered.
        relation (string): The name of the profiles in the query.
#}
{% macro piece_reached(status, campaigns, days=0, late_days=7, relation="profiles") -%}
    {% do dmail.one_of(
        "piece_reached", "status", status, ["in_transit", "delivered", "rerouted", "returned", "failed"]
    ) %}
    {% do dmail.number_between("piece_reached", "days", days, 0, 3650) %}
    {% if campaigns is string or not campaigns %}
        {{
            exceptions.raise_compiler_error(
                "piece_reached(): `campaigns` accepts a list of campaigns, not `" ~ campaigns ~ "`"
            )
        }}
    {% elif dmail.campaign_name() in campaigns %}
        {{
            exceptions.raise_compiler_error(
                "piece_reached(): " ~ dmail.campaign_name() ~ " would answer its own pieces for ever"
            )
        }}
    {% endif %}
    {% set listed = [] %}
    {% for name in campaigns %}
        {% do dmail.check_campaign("piece_reached", name) %} {% do listed.append(dmail.sql_text(name)) %}
    {% endfor %}
    {% set moment = "greatest(reached.happened_at + interval " ~ days ~ " day, reached.received_at)" %}
    {{ relation }}.profile_id in (
        select reached.profile_id
        from {{ ref("dmail", "int_piece_events") }} as reached
        where
            reached.status = {{ dmail.sql_text(status) }}
            and reached.campaign in ({{ listed | join(", ") }})
            and {{ dmail.in_window(moment, late_days, "reached") }}
            {% if status not in ["returned", "failed"] %}
                and coalesce(reached.lost_known_at >= {{ dmail.slot() }}, true)
            {% endif %}
    )
{%- endmacro %}
