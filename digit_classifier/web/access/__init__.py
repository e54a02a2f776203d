"""Who may call the API, how often, and from which pages."""
