{#
    How each locale writes dates, numbers and money, from Unicode's CLDR (a test compares it with Babel). Two things differ on
    purpose: every space within a number is a no-break space that Latin-1 has, and a currency code keeps one from the number.

    A locale is the months, two patterns for dates, the decimal point and what groups thousands, one or two patterns for money, and
    the currencies whose symbol is not their code.
#}
{% macro locales() %}
    {% set months = {
        "en": "January February March April May June July August September October November December",
        "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "de-AT": "Jänner Februar März April Mai Juni Juli August September Oktober November Dezember",
        "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "nl": "januari februari maart april mei juni juli augustus september oktober november december",
        "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "sv": "januari februari mars april maj juni juli augusti september oktober november december",
        "da": "januar februar marts april maj juni juli august september oktober november december",
        "ja": "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
    } %}
    {{
        return(
            {
                "en-US": {
                    "months": months["en"],
                    "long": "{month} {d}, {y}",
                    "short": "{m}/{d}/{y}",
                    "point": ".",
                    "group": ",",
                    "money": "{s}{n}",
                    "symbols": {
                        "USD": "$",
                        "EUR": "€",
                        "GBP": "£",
                        "BRL": "R$",
                        "MXN": "MX$",
                        "CAD": "CA$",
                        "AUD": "A$",
                        "JPY": "¥",
                    },
                },
                "en-GB": {
                    "months": months["en"],
                    "long": "{d} {month} {y}",
                    "short": "{dd}/{mm}/{y}",
                    "point": ".",
                    "group": ",",
                    "money": "{s}{n}",
                    "symbols": {
                        "USD": "US$",
                        "EUR": "€",
                        "GBP": "£",
                        "BRL": "R$",
                        "MXN": "MX$",
                        "CAD": "CA$",
                        "AUD": "A$",
                        "JPY": "JP¥",
                    },
                },
                "de-DE": {
                    "months": months["de"],
                    "long": "{d}. {month} {y}",
                    "short": "{d}.{m}.{y}",
                    "point": ",",
                    "group": ".",
                    "money": "{n}\u00a0{s}",
                    "symbols": {
                        "USD": "$",
                        "EUR": "€",
                        "GBP": "£",
                        "BRL": "R$",
                        "MXN": "MX$",
                        "CAD": "CA$",
                        "AUD": "AU$",
                        "JPY": "¥",
                    },
                },
                "de-AT": {
                    "months": months["de-AT"],
                    "long": "{d}. {month} {y}",
                    "short": "{d}.{m}.{y}",
                    "point": ",",
                    "group": ".",
                    "money": "{s}\u00a0{n}",
                    "symbols": {
                        "USD": "$",
                        "EUR": "€",
                        "GBP": "£",
                        "BRL": "R$",
                        "MXN": "MX$",
                        "CAD": "CA$",
                        "AUD": "AU$",
                        "JPY": "¥",
                    },
                },
                "de-CH": {
                    "months": months["de"],
                    "long": "{d}. {month} {y}",
                    "short": "{d}.{m}.{y}",
                    "point": ".",
                    "group": "’",
                    "money": "{s}\u00a0{n}",
                    "negative_money": "{s}-{n}",
                    "symbols": {
                        "USD": "$",
                        "GBP": "£",
                        "BRL": "R$",
                        "MXN": "MX$",
                        "CAD": "CA$",
                        "AUD": "AU$",
                        "JPY": "¥",
                    },
                },
                "fr-FR": {
                    "months": months["fr"],
                    "long": "{d} {month} {y}",
                    "short": "{dd}/{mm}/{y}",
                    "point": ",",
                    "group": "\u00a0",
                    "money": "{n}\u00a0{s}",
                    "symbols": {
                        "USD": "$US",
                        "EUR": "€",
                        "GBP": "£GB",
                        "BRL": "R$",
                        "MXN": "$MX",
                        "CAD": "$CA",
                        "AUD": "$AU",
                    },
                },
                "es-ES": {
                    "months": months["es"],
                    "long": "{d} de {month} de {y}",
                    "short": "{d}/{m}/{y}",
                    "point": ",",
                    "group": ".",
                    "money": "{n}\u00a0{s}",
                    "symbols": {"USD": "US$", "EUR": "€"},
                },
                "es-MX": {
                    "months": months["es"],
                    "long": "{d} de {month} de {y}",
                    "short": "{d}/{m}/{y}",
                    "point": ".",
                    "group": ",",
                    "money": "{s}{n}",
                    "symbols": {"MXN": "$"},
                },
                "it-IT": {
                    "months": months["it"],
                    "long": "{d} {month} {y}",
                    "short": "{dd}/{mm}/{y}",
                    "point": ",",
                    "group": ".",
                    "money": "{n}\u00a0{s}",
                    "symbols": {"EUR": "€", "GBP": "£", "CAD": "CA$", "AUD": "A$"},
                },
                "pt-BR": {
                    "months": months["pt"],
                    "long": "{d} de {month} de {y}",
                    "short": "{dd}/{mm}/{y}",
                    "point": ",",
                    "group": ".",
                    "money": "{s}\u00a0{n}",
                    "symbols": {
                        "USD": "US$",
                        "EUR": "€",
                        "GBP": "£",
                        "BRL": "R$",
                        "MXN": "MX$",
                        "CAD": "CA$",
                        "AUD": "AU$",
                        "JPY": "JP¥",
                    },
                },
                "pt-PT": {
                    "months": months["pt"],
                    "long": "{d} de {month} de {y}",
                    "short": "{dd}/{mm}/{y}",
                    "point": ",",
                    "group": "\u00a0",
                    "money": "{n}\u00a0{s}",
                    "symbols": {
                        "USD": "US$",
                        "EUR": "€",
                        "GBP": "£",
                        "BRL": "R$",
                        "MXN": "MX$",
                        "CAD": "CA$",
                        "AUD": "AU$",
                        "JPY": "JP¥",
                    },
                },
                "nl-NL": {
                    "months": months["nl"],
                    "long": "{d} {month} {y}",
                    "short": "{d}-{m}-{y}",
                    "point": ",",
                    "group": ".",
                    "money": "{s}\u00a0{n}",
                    "negative_money": "{s}\u00a0-{n}",
                    "symbols": {
                        "USD": "US$",
                        "EUR": "€",
                        "GBP": "£",
                        "BRL": "R$",
                        "MXN": "MX$",
                        "CAD": "C$",
                        "AUD": "AU$",
                        "JPY": "JP¥",
                    },
                },
                "pl-PL": {
                    "months": months["pl"],
                    "long": "{d} {month} {y}",
                    "short": "{d}.{mm}.{y}",
                    "point": ",",
                    "group": "\u00a0",
                    "money": "{n}\u00a0{s}",
                    "symbols": {"EUR": "€", "PLN": "zł", "BRL": "R$"},
                },
                "sv-SE": {
                    "months": months["sv"],
                    "long": "{d} {month} {y}",
                    "short": "{y}-{mm}-{dd}",
                    "point": ",",
                    "group": "\u00a0",
                    "money": "{n}\u00a0{s}",
                    "symbols": {
                        "USD": "US$",
                        "EUR": "€",
                        "SEK": "kr",
                        "NOK": "Nkr",
                        "DKK": "Dkr",
                        "BRL": "BR$",
                        "MXN": "MX$",
                        "CAD": "CA$",
                    },
                },
                "da-DK": {
                    "months": months["da"],
                    "long": "{d}. {month} {y}",
                    "short": "{d}.{m}.{y}",
                    "point": ",",
                    "group": ".",
                    "money": "{n}\u00a0{s}",
                    "symbols": {
                        "USD": "US$",
                        "EUR": "€",
                        "GBP": "£",
                        "DKK": "kr.",
                        "BRL": "R$",
                        "MXN": "MX$",
                        "CAD": "CA$",
                        "AUD": "AU$",
                        "JPY": "JP¥",
                    },
                },
                "ja-JP": {
                    "months": months["ja"],
                    "long": "{y}年{m}月{d}日",
                    "short": "{y}/{m}/{d}",
                    "point": ".",
                    "group": ",",
                    "money": "{s}{n}",
                    "symbols": {
                        "USD": "$",
                        "EUR": "€",
                        "GBP": "£",
                        "BRL": "R$",
                        "MXN": "MX$",
                        "CAD": "CA$",
                        "AUD": "A$",
                        "JPY": "￥",
                    },
                },
            }
        )
    }}
{% endmacro %}

{# The currencies that can be printed, and how many decimals each has. #}
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

{#
    The expression of the row's locale, of a dictionary with one for each locale.

    `locale` is a literal in quotes ("'de-DE'"), settled here, or a column expression, settled row by row: `de_de` is `de-DE`, a bare
    language the first locale of that language above (`en` en-US, `pt` pt-BR), and any other value null. A country that is not above
    is not guessed at: 10/5 is May in one and October in another.
#}
{% macro by_locale(locale, expressions) -%}
    {% if locale.startswith("'") %} {{ expressions[locale[1:-1]] }}
    {% else %}
        {% set languages = [] %}
        case
            lower(replace({{ locale }}, '_', '-'))
            {% for known, expression in expressions.items() %}
                when '{{ known | lower }}'
                then {{ expression }}
                {% if known[:2] not in languages %}
                    when '{{ known[:2] }}' then {{ expression }} {% endif %} {% do languages.append(known[:2]) %}
            {% endfor %}
        end
    {% endif %}
{%- endmacro %}

{# Stops where a literal is not known, or where its quotes were forgotten: de-DE without them is a subtraction. #}
{% macro check_choice(name, argument, value, known) %}
    {% set quoted = modules.re.fullmatch("'[^']*'", value) %}
    {% if (quoted and value[1:-1] not in known) or value in known %}
        {{
            exceptions.raise_compiler_error(
                name ~ "(): `" ~ argument ~ "` accepts a column expression, or within quotes one of " ~ known
                | join(", ") ~ "; write it as \"'..'\", not `" ~ value ~ "`"
            )
        }}
    {% endif %}
{% endmacro %}
