{#
    Keeps one profile per person, household or address. Profiles that an earlier rule has excluded do not count, so that an
    excluded profile never takes the place of another one.

    Arguments:
        unit (string): 'person' (same name, same address), 'household' (same last name, same address) or 'address'.
        keep (string): The order in which profiles are kept, such as 'updated_at desc'. Ties are broken by `profile_id`.
        tolerant (bool): Whether persons or households with typing errors in their names and addresses count as one, too: the pairs of the
            model `int_similar_profiles`, see `similar_profiles()`.
#}
{% macro one_per(unit, keep="updated_at desc", tolerant=false) %}
    {% do dmail.one_of("one_per", "unit", unit, ["person", "household", "address"]) %}
    {% do dmail.one_of("one_per", "tolerant", tolerant, [true, false]) %}
    {% set rule = {
        "reason": "duplicate",
        "unit": [unit ~ "_key"],
        "keep": [keep ~ " nulls last"],
        "shows": {unit: unit ~ "_key"},
    } %}
    {% if tolerant %}
        {% do dmail.one_of("one_per", "unit of tolerant=true", unit, ["person", "household"]) %}
        {% set key = dmail.similar_key(unit) %}
        {% set joins = [{"query": dmail.similar_groups(unit), "on": key ~ " = similar_key"}] %}
        {% do rule.update({"unit": ["coalesce(similar_group, " ~ unit ~ "_key)"], "joins": joins}) %}
        {% if execute and env_var("DMAIL_EXPLAIN", "") != "" %}
            {% do joins.append({"query": dmail.similar_shown(unit), "on": key ~ " = shown_key"}) %}
            {% do rule.shows.update({"similar to": "shown_pair"}) %}
        {% endif %}
    {% endif %}
    {{ return(rule) }}
{% endmacro %}
