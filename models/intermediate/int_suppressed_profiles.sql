-- The profiles on the suppression lists. The runner's last gate reads them, whatever the rules of a campaign are.
{{ dmail.suppressed_profiles(ref("stg_profiles")) }}
