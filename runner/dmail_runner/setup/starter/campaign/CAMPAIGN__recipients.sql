-- Who of them gets the letter: the first rule that applies is the reason why somebody does not. More rules: macros/audience.
{{
    recipients(
        audience=ref("CAMPAIGN__audience"),
        rules=[
            consent(),
            suppressed(lists=["do_not_mail", "deceased", "returned"], max_age_days=180),
            deliverable(),
            frequency_cap(pieces=1, days=30, unit="household"),
            one_per("household", keep="lifetime_value desc"),
        ],
    )
}}
