-- The profiles on the suppression lists. The runner's last gate reads them, independently of a campaign's rules.
{{ dmail.suppressed_profiles(ref("stg_profiles"), ref("int_keyed_addresses")) }}
