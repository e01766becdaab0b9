"""Wire models: what requests and answers look like, one file per service."""
