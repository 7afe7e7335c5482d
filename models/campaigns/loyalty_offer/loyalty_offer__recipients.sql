{{
    recipients(
        audience=ref("loyalty_offer__audience"),
        rules=[
            consent(),
            suppressed(lists=["do_not_mail", "deceased", "returned"], max_age_days=180),
            deliverable(),
            outside_area(only={"country_code": ["US"]}, never={"region": ["PR"]}),
            frequency_cap(pieces=4, per="quarter"),
            one_per("household", keep="lifetime_value desc"),
            limit(rows=20000, keep="lifetime_value desc"),
        ],
    )
}}
