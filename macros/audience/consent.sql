{# Out: the profile said no to postal mail, or to marketing as a whole. Nothing said counts as consent. #}
{% macro consent() %}
    {{ return({"reason": "consent", "condition": "postal_mail_consent = 'n' or marketing_consent = 'n'"}) }}
{% endmacro %}
