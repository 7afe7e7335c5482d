-- Every profile with its one postal address, normalised and judged. What campaigns select from.
{{ dmail.postal_addresses(ref("stg_profiles")) }}
