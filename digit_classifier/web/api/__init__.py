"""The API for programs: endpoints, their requests and responses, and the OpenAPI document."""
