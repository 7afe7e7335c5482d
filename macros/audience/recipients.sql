{#
    One row per profile of the audience with its verdict: `exclusion_reason` is null for everybody who is included.

    The rules apply in the given order. The first one that applies is the reason. A rule is a dictionary, which a rule macro
    returns:

        reason             the value of `exclusion_reason`
        reason_of_row      SQL of that value, where it depends on the row
        joins              what the rule looks up: a list of {query, on}. A query's rows have a unique key, and its columns have
                           names that no other rule uses
        reads              queries that several joins read, and that are therefore made once: name -> SQL
        condition          a rule over rows: SQL that is true for rows to exclude
        unit, keep, first  a rule over sets: the columns that define a set, the order within it, and how many rows are kept. It
                           sees only rows that no earlier rule has excluded, so that an excluded row never takes a place
        shows              what `dmail-runner explain` prints: label -> SQL
        name               the rule's name there; the reason, if it has none
        within_file        another rule, which limits the pieces of this file; see `with_caps_within_file()`
        columns            columns that the rule adds: name -> SQL. The contract of the recipients must list them
        draws              true for rules that choose among the profiles that the other rules have kept
        counts_contacts    true for rules over the contact history

    A list among the rules is a set of rules that several campaigns share: a macro of the project returns it, and its rules apply in
    its place.

    Arguments:
        audience (relation): The campaign's audience: `profile_id`, `household_key`, and the columns that the rules read.
        rules (list[any]): The rules, in order.

    If the contract lists `person_key` and `address_key`, the contact history keeps the name and the address as mailed, so that returned
    mail suppresses them (docs/howto/returns.md). With `treatment`, it keeps the cell of `treatments()`.

    A mailing in waves has a column `wave_number`, too. Its contract must list the column, which is null without the runner.
#}
{% macro recipients(audience, rules) %}
    {% set rules = dmail.rules_of_sets(rules) %}
    {% for rule in rules if rule is not mapping or not rule.reason %}
        {{
            exceptions.raise_compiler_error(
                "recipients(): `rules` takes rule macros such as consent(), not `" ~ rule ~ "`"
            )
        }}
    {% endfor %}
    {% set rules = dmail.with_caps_within_file(rules) %}
    {% set original = dmail.original() %}
    {% if original %}
        {% set rules = rules | rejectattr("unit") | rejectattr("draws") | rejectattr("counts_contacts") | list %}
        {% set audience = "(select * from " ~ audience ~ " where " ~ dmail.in_original(original) ~ ") as targets" %}
    {% endif %}
    {% set explained = execute and env_var("DMAIL_EXPLAIN", "") != "" %}
    {% set wave = dmail.this_wave() %}
    {% set step = namespace(name="targeted") %}
    {% set reads = {} %}
    {% for rule in rules %} {% do reads.update(rule.reads or {}) %} {% endfor %}

    with
        {% for name, query in reads.items() %} {{ name }} as ({{ query }}), {% endfor %}

        {% if wave %} {{ dmail.in_waves(audience, wave) }}
        {% else %} targeted as (select *, cast(null as string) as exclusion_reason from {{ audience }}),
        {% endif %}

        {% for rule in rules %}
            {% set last = step.name %}
            {% set step.name = "after_" ~ loop.index ~ "_" ~ rule.reason %}
            {{ step.name }} as (
                select
                    {{ dmail.star_except(["exclusion_reason"], last) }},
                    case
                        when exclusion_reason is not null
                        then exclusion_reason
                        when {{ rule.condition or dmail.beyond_first(rule) }}
                        then {{ rule.reason_of_row or "'" ~ rule.reason ~ "'" }}
                    end as exclusion_reason
                    {% for name, value in (rule.columns or {}).items() %}, {{ value }} as {{ name }}{% endfor %}
                    {% if explained %}
                        ,
                        {% if rule.condition %} {{ rule.condition }}
                        {% else %} case when exclusion_reason is null then {{ dmail.beyond_first(rule) }} end
                        {% endif %} as rule_{{ loop.index }}_out,
                        '{{ rule.name or rule.reason }}' as rule_{{ loop.index }}_name,
                        concat_ws(
                            ', '
                            {% for name, value in (rule.shows or {}).items() %}
                                , '{{ name }}: ' || coalesce(cast({{ value }} as string), '(nothing)')
                            {% endfor %}
                        ) as rule_{{ loop.index }}_shows
                    {% endif %}
                from {{ last }}
                {% for join in rule.joins or [] %}
                    left join ({{ join.query }}) as looked_up_{{ loop.index }} on {{ join.on }}
                {% endfor %}
            ),
        {% endfor %}

        final as (
            select
                profile_id,
                household_key,
                {% if wave %} wave_number,
                {% elif execute and "wave_number" in (model.columns or {}) %} cast(null as integer) as wave_number,
                {% endif %}
                {% for kept in ["person_key", "address_key", "treatment"] if execute and kept in (model.columns or {}) %}
                    {{ kept }},
                {% endfor %}
                {% if explained %}
                    {% for rule in rules %}
                        rule_{{ loop.index }}_name, rule_{{ loop.index }}_out, rule_{{ loop.index }}_shows,
                    {% endfor %}
                {% endif %}
                exclusion_reason
            from {{ step.name }}
        )

    select *
    from final
{% endmacro %}

{#
    The rules, in which each set of rules is replaced by its rules.

    Arguments:
        rules (list[any]): Rules, and lists of rules.
#}
{% macro rules_of_sets(rules) %}
    {% set found = [] %}
    {% for rule in rules %}
        {% if rule is mapping or rule is string or rule is not iterable %} {% do found.append(rule) %}
        {% else %} {% do found.extend(dmail.rules_of_sets(rule)) %}
        {% endif %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{#
    The rules, with those that limit the pieces of this file. They come after the rules that decide who may be mailed, and before the
    first one after them that draws a control group or a quantity. A person who is not mailed therefore takes no place in a household.
    They are left out after a rule that keeps one person of each household or address: whoever is left may receive a piece.

    Arguments:
        rules (list[dict[string, any]]): The rules, in order.
#}
{% macro with_caps_within_file(rules) %}
    {% set ordered, waiting = [], [] %}
    {% for rule in rules %}
        {% if rule.unit in (["household_key"], ["address_key"]) and not rule.first %}
            {% do waiting.clear() %}
        {% endif %}
        {% if rule.draws %} {% do ordered.extend(waiting) %} {% do waiting.clear() %} {% endif %}
        {% do ordered.append(rule) %}
        {% if rule.within_file %} {% do waiting.append(rule.within_file) %} {% endif %}
    {% endfor %}
    {{ return(ordered + waiting) }}
{% endmacro %}

{#
    SQL of a rule over sets: true for rows beyond the first ones of their set, among those that no earlier rule has excluded.

    Arguments:
        rule (dict[string, any]): The rule.
#}
{% macro beyond_first(rule) -%}
    {% for column in rule.unit %} {{ column }} is not null and {% endfor %}
    row_number() over (
        partition by {{ (["exclusion_reason is null"] + rule.unit) | join(", ") }}
        order by {{ (rule.keep + ["profile_id"]) | join(", ") }}
    )
    > {{ rule.first or 1 }}
{%- endmacro %}

{#
    The campaign of the current model, or of the model that a unit test tests: its name up to the two underscores. The runner
    refuses a campaign whose models are named otherwise.
#}
{% macro campaign_name() %}
    {% set node = (model.get("tested_node_unique_id") or model.unique_id or "") if model.unique_id else "" %}
    {{ return(node.split(".")[2].split("__")[0] if node else "") }}
{% endmacro %}

{#
    Raises a compile error unless a value is one of those that an argument accepts.

    Arguments:
        macro (string): The macro's name, for the message.
        argument (string): The argument's name.
        value (any): The value.
        allowed (list[any]): The values that it accepts.
        others (optional[string]): What else it accepts, in words.
#}
{% macro one_of(macro, argument, value, allowed, others=none) %}
    {% if value not in allowed %}
        {% set accepted = allowed + ([others] if others else []) %}
        {{
            exceptions.raise_compiler_error(
                macro ~ "(): " ~ argument ~ " is `" ~ value ~ "`; it accepts " ~ accepted | join(", ")
            )
        }}
    {% endif %}
{% endmacro %}

{#
    Raises a compile error unless a value is a number within bounds.

    Arguments:
        macro (string): The macro's name, for the message.
        argument (string): The argument's name.
        value (any): The value.
        least (int): The least number.
        most (int): The greatest number.
#}
{% macro number_between(macro, argument, value, least, most) %}
    {% if value is not number or value is boolean or value < least or value > most %}
        {{
            exceptions.raise_compiler_error(
                macro ~ "(): " ~ argument ~ " is `" ~ value ~ "`; it accepts a number from " ~ least ~ " to " ~ most
            )
        }}
    {% endif %}
{% endmacro %}
