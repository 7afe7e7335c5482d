"""What a project begins with: a new project, a new campaign, sample data."""
