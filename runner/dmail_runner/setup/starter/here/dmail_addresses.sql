-- The profiles with one normalised address each, and the keys of person, household and address.
{{ config(materialized="view") }}

{{ dmail.postal_addresses(ref("dmail_profiles")) }}
