{#
    SQL that is true for rows that were triggered within the slot's window, and for earlier ones that no letter has answered: rows
    that arrived late, or whose window was given up. One letter answers everything that triggered it before its slot, so that
    everybody gets it once.

    Arguments:
        triggered_at (column): The timestamp of the trigger.
        late_days (int): How many days before the window late rows are searched for. With 0 they are not.
        relation (string): The name of the profiles in the query.
#}
{% macro in_window(triggered_at, late_days=7, relation="profiles") -%}
    {% do dmail.number_between("in_window", "late_days", late_days, 0, 3650) %}
    (
        {{ triggered_at }} < {{ dmail.window_end() }}
        and (
            {{ triggered_at }} >= {{ dmail.window_start() }}
            {% if late_days %}
                or {{ triggered_at }} >= {{ dmail.window_start() }} - interval {{ late_days }} day
                and not exists (
                    select 1
                    from {{ dmail.role_model("contact_history") }} as written
                    where
                        written.profile_id = {{ relation }}.profile_id
                        and written.campaign = '{{ dmail.campaign_name() }}'
                        and written.slot > {{ triggered_at }}
                        and written.slot <> {{ dmail.slot() }}
                )
            {% endif %}
        )
    )
{%- endmacro %}
