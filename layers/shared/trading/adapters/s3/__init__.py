"""S3: bulk history."""
