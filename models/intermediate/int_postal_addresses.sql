-- One row per profile with its one postal address, normalised and validated. Campaigns select from it.
{{ dmail.postal_addresses(ref("stg_profiles")) }}
