"""API keys over HTTPS: create, list, rotate, revoke."""
