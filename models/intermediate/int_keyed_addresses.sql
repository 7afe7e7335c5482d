-- One row per profile with its one postal address, normalised, judged and keyed. The table is kept while the profiles
-- stay the same.
{{ dmail.keyed_addresses(ref("stg_profiles")) }}
