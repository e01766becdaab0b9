"""Scripts that run in a throwaway environment with another project's package."""
