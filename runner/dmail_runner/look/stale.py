"""Tells whether the tables of the last build are of the present sources and SQL."""

from dmail_runner.project.kept_tables import fresh_tables
from dmail_runner.project.target import Warehouse
from dmail_runner.run.job import Job


def tell_stale(job: Job, warehouse: Warehouse) -> None:
    """Show a note if a kept table would be built again: a review reads it as it is. The caller holds the warehouse's lock."""
    if not job.settings.keeps_tables or not warehouse.is_file:
        return
    kept = [table for table in job.campaign.kept(job.settings) if not table.is_seed]
    fresh = fresh_tables(warehouse, kept)
    if stale := [table.id.split(".")[-1] for table in kept if table not in fresh]:
        job.tell(
            f"note     the sources or the SQL have changed since the last build of {', '.join(sorted(stale))}: "
            f"dmail-runner run {job.campaign.name} --dry-run builds them"
        )
