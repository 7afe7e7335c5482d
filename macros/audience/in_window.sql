{#
    True for who was triggered within the slot's window, or before it and was not written to since: rows that arrive late, or whose
    window was given up. One letter answers all that triggered it before its slot, so that everybody gets it once.

    Arguments:
        triggered_at  timestamp expression
        late_days     how late a row may arrive; 0: nobody looks back
        relation      what the profiles are called in the query
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
                    from {{ ref("stg_contact_history") }} as written
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
