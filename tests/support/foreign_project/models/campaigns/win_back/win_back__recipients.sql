{{
    dmail.recipients(
        audience=ref("win_back__audience"),
        rules=[
            dmail.consent(),
            dmail.suppressed(lists=["do_not_mail"]),
            dmail.deliverable(),
            dmail.frequency_cap(pieces=1, days=30),
            dmail.one_per("household", keep="profile_id"),
        ],
    )
}}
