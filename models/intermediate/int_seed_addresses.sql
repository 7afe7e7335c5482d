-- The sender's own addresses, which show what arrives. They are validated and printed like all others.
{{ dmail.postal_addresses(ref("seed_addresses")) }}
