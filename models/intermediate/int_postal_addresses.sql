-- One row per profile with its one postal address. Campaigns select from it.
{{ dmail.with_earlier_keys(ref("int_keyed_addresses")) }}
