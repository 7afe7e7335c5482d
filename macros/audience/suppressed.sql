{#
    Excludes profiles on a suppression list, by `profile_id` and by every key that an entry has: of a person, a household or an address
    (`list_keys()`). The build fails if a list is missing, empty or too old. People whom `dmail-runner forget` has erased, and the
    entries of `returned_mail()`, are always excluded.

    Arguments:
        lists (list[string]): The names of the lists in the model with the role `suppressions`. An empty list excludes only the people
            whom `dmail-runner forget` has erased.
        max_age_days (int): The greatest age of each list at the slot: the days since the newest `as_of` of its entries.
        reason (string): The exclusion reason, which tells one list from another.
        tolerant (bool): Whether entries with typing errors in their names and addresses match, too: those of the model
            `int_similar_entries`, see `similar_entries()`.
#}
{% macro suppressed(lists, max_age_days=35, reason="suppressed", tolerant=false) %}
    {% do dmail.one_of("suppressed", "tolerant", tolerant, [true, false]) %}
    {% if lists is string or lists is not sequence or lists is mapping %}
        {{ exceptions.raise_compiler_error("suppressed(): lists takes a list of names, not `" ~ lists ~ "`") }}
    {% endif %}
    {% do dmail.number_between("suppressed", "max_age_days", max_age_days, 0, 100000) %}
    {% set keys = ["profile_id"] + dmail.list_keys() %}
    {% set entries %}
        select list_name, {{ keys | join(", ") }}, valid_from, valid_until, as_of from {{ dmail.role_model("suppressions") }}
    {% endset %}
    {% set wanted %}
        ({% for list in lists or ["forgotten"] %} {{ dmail.sql_text(list) }}{{ "," if not loop.last }} {% endfor %})
    {% endset %}
    {% set valid %}
        (list_name in {{ wanted }} or list_name in ('forgotten', 'returned_mail'))
        and coalesce(valid_from <= {{ dmail.as_of() }}, true)
        and coalesce(valid_until > {{ dmail.slot() }}, true)
    {% endset %}
    {% set too_old = "'the suppression list ' || wanted || ' is older than " ~ max_age_days ~ " days'" %}
    {% set current %}
        select
            max(
                case
                    when newest is null
                    then {{ dmail.fail("'the suppression list ' || wanted || ' is missing or empty'") }}
                    when newest < {{ dmail.slot() }} - interval {{ max_age_days }} day
                    then {{ dmail.fail(too_old) }}
                    else 'current'
                end
            ) as lists_are
        from
            (
                select wanted, max(as_of) as newest
                from
                    (
                        {% for list in lists %}
                            select {{ dmail.sql_text(list) }} as wanted {{ "union all" if not loop.last }}
                        {% endfor %}
                    ) as names
                left join suppression_entries as entries on names.wanted = entries.list_name
                group by wanted
            ) as ages
    {% endset %}
    {% set joins = [{"query": current, "on": "true"}] if lists else [] %}
    {% set listed_by = [] %}
    {% for key in keys %}
        {% set by_key %}
            select {{ key }} as listed_{{ key }}, min(list_name) as list_by_{{ key }}
            from suppression_entries
            where {{ key }} is not null and {{ valid }}
            group by {{ key }}
        {% endset %}
        {% do joins.append({"query": by_key, "on": key ~ " = listed_" ~ key}) %}
        {% do listed_by.append("list_by_" ~ key) %}
    {% endfor %}
    {% set shows = {} %}
    {% if tolerant %}
        {% set similar %}
            select profile_id as similar_profile_id, min(list_name) as list_by_similar, min(entry || ': ' || why) as similar_entry
            from {{ dmail.similar_model("entries") }}
            where matched_by <> 'cut' and {{ valid }}
            group by profile_id
        {% endset %}
        {% do joins.append({"query": similar, "on": "profile_id = similar_profile_id"}) %}
        {% do listed_by.append("list_by_similar") %}
        {% do shows.update({"similar entry": "coalesce(similar_entry, 'none')"}) %}
    {% endif %}
    {{
        return(
            {
                "reason": reason,
                "reads": {"suppression_entries": entries},
                "joins": joins,
                "condition": "(" ~ ("lists_are is null or " if lists else "") ~ "coalesce(" ~ listed_by
                | join(", ") ~ ") is not null)",
                "shows": dict({"list": "coalesce(" ~ listed_by | join(", ") ~ ", 'none')"}, **shows),
            }
        )
    }}
{% endmacro %}
