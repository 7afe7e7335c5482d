select id as customer_id, name_given, name_family, street, town, state, zip, mail_ok, staff
from {{ ref("raw_customers") }}
