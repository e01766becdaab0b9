"""A serverless trading platform: domain, use cases, adapters and app scaffolding."""
