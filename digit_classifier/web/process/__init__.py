"""The processes of the server: memory, readiness, Apache's configuration."""
