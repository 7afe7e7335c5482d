select *
from {{ ref("shop__customer_addresses") }}
where {% call dmail.targeted() %} region = 'MA' {% endcall %}
