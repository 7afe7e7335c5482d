{{
    dmail.recipients(
        audience=ref("welcome_letter__audience"),
        rules=[
            dmail.already_mailed(),
            dmail.consent(),
            dmail.suppressed(lists=["do_not_mail", "deceased", "returned"], max_age_days=180),
            dmail.deliverable(max_lines=7),
            dmail.one_per("person", keep="created_at"),
        ],
    )
}}
