{{
    recipients(
        audience=ref("welcome_letter__audience"),
        rules=[
            already_mailed(),
            consent(),
            suppressed(lists=["do_not_mail", "deceased", "returned"], max_age_days=180),
            deliverable(max_lines=7),
            one_per("person", keep="created_at"),
        ],
    )
}}
