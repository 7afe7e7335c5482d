{#
    Out: the profile said no to postal mail, or to marketing as a whole, or said what nobody understands (`?`).

    Arguments:
        require  none  nothing said is consent, and so are XDM's pending, unknown, default yes and other legal grounds
                 'y'   only an explicit yes to both is: for countries where postal mail needs it
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
