{#
    Excludes profiles that have not consented to postal mail or to marketing, by the values that `consent_value()` writes. A value
    that it could not interpret (`?`) counts as a refusal.

    Arguments:
        require (optional[string]): By default, null counts as consent, and so do XDM's `p`, `u`, `dy`, `li`, `ct`, `cp`, `vi` and `pi`.
            With 'y', only an explicit `y` in both columns does. Use it for countries whose law requires an opt-in for postal mail.
#}
{% macro consent(require=none) %}
    {% do dmail.one_of("consent", "require", require, [none, "y"]) %}
    {% set given = ["y"] if require else ["y", "dy", "p", "u", "li", "ct", "cp", "vi", "pi"] %}
    {% set refused = [] %}
    {% for column in ["postal_mail_consent", "marketing_consent"] %}
        {% set answer %}
            case {{ column }} {% for value in given %} when '{{ value }}' then false {% endfor %}
            else {{ "true" if require else column ~ " is not null" }} end
        {% endset %}
        {% do refused.append(answer) %}
    {% endfor %}
    {{
        return(
            {
                "reason": "consent",
                "condition": "(" ~ refused | join(" or ") ~ ")",
                "shows": {"postal mail": "postal_mail_consent", "marketing": "marketing_consent"},
            }
        )
    }}
{% endmacro %}
