"""The process's environment: what it sets up at its start, and checks of the installation."""
