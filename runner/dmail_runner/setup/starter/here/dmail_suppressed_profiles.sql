{{ dmail.suppressed_profiles(ref("dmail_profiles")) }}
