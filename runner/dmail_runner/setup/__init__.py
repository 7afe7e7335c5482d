"""Creates new projects, new campaigns and sample data."""
