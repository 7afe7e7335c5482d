{{
    dmail.recipients(
        audience=ref("loyalty_offer__audience"),
        rules=[
            dmail.consent(),
            dmail.suppressed(lists=["do_not_mail", "deceased", "returned"], max_age_days=180),
            dmail.deliverable(),
            dmail.outside_area(only={"country_code": ["US"]}, never={"region": ["PR"]}),
            dmail.frequency_cap(pieces=4, per="quarter"),
            dmail.one_per("household", keep="lifetime_value desc"),
            dmail.limit(rows=20000, keep="lifetime_value desc"),
        ],
    )
}}
