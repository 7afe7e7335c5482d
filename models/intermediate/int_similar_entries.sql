-- The profiles that are similar to an entry of a list. Only campaigns with suppressed(..., tolerant=true) build it.
{{ dmail.similar_entries(ref("stg_profiles"), ref("stg_suppressions")) }}
