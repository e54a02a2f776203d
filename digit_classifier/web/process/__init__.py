"""The processes of the server: memory, readiness, load shedding, Apache's configuration."""
