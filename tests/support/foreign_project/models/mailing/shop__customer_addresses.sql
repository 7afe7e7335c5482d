{{ dmail.postal_addresses(ref("shop__mailable_customers")) }}
