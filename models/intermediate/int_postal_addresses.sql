-- One row per profile with its one postal address, normalised and judged. Campaigns select from it.
{{ dmail.postal_addresses(ref("stg_profiles")) }}
