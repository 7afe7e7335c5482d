-- What address services know about the address that each profile has now. `dmail-runner addresses export` asks them.
{{ dmail.address_services(ref("stg_profiles")) }}
