"""What operators see: log, metrics, health, status."""
