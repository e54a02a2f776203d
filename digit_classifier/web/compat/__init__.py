"""The contracts of older clients, one module a client."""
