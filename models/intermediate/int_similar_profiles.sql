-- The pairs of profiles that the tolerant tier takes for one. Only campaigns with one_per(..., tolerant=true) build it.
{{ dmail.similar_profiles(ref("stg_profiles")) }}
