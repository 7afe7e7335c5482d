{{
    recipients(
        audience=ref("spring_catalog__audience"),
        rules=[
            consent(),
            deliverable(),
            one_per("person", keep="lifetime_value desc"),
        ],
    )
}}
