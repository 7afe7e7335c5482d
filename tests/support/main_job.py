"""Names in the sample project."""

EXPOSURE = "models/campaigns/spring_catalog/_spring_catalog__exposures.yml"
