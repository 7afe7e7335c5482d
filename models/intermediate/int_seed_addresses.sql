-- Our own addresses, which show us what arrives, judged and printed as everybody's are.
{{ dmail.postal_addresses(ref("seed_addresses")) }}
