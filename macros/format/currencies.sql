{# The currencies that `format_money()` prints, with the number of their decimals. #}
{% macro currencies() %}
    {{
        return(
            {
                "USD": 2,
                "EUR": 2,
                "GBP": 2,
                "CHF": 2,
                "SEK": 2,
                "NOK": 2,
                "DKK": 2,
                "PLN": 2,
                "CZK": 2,
                "HUF": 2,
                "BRL": 2,
                "MXN": 2,
                "CAD": 2,
                "AUD": 2,
                "JPY": 0,
            }
        )
    }}
{% endmacro %}
