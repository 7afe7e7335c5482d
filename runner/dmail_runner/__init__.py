"""Direct mail as code: postal campaigns as dbt models, delivered to the mail house once, completely and provably."""
