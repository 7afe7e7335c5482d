{# Out: the profile said no to postal mail, or to marketing as a whole, or said what nobody understands. Nothing said is consent. #}
{% macro consent() %}
    {% set refused = [] %}
    {% for column in ["postal_mail_consent", "marketing_consent"] %}
        {% do refused.append(
            "case "
            ~ column
            ~ " when 'y' then false when 'dy' then false when 'p' then false when 'u' then false when 'li' then false "
            ~ "when 'ct' then false when 'cp' then false when 'vi' then false when 'pi' then false else "
            ~ column
            ~ " is not null end"
        ) %}
    {% endfor %}
    {{ return({"reason": "consent", "condition": refused | join(" or ")}) }}
{% endmacro %}
