{{
    dmail.recipients(
        audience=ref("spring_catalog__audience"),
        rules=[
            dmail.consent(),
            dmail.suppressed(lists=["do_not_mail", "deceased", "returned"], max_age_days=180),
            dmail.deliverable(),
            dmail.frequency_cap(pieces=1, days=30, unit="household"),
            dmail.one_per("household", keep="lifetime_value desc"),
            dmail.holdout(percent=5),
        ],
    )
}}
