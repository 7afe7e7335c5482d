-- Our own addresses, which show what arrives. They are judged and printed like everybody's.
{{ dmail.postal_addresses(ref("seed_addresses")) }}
