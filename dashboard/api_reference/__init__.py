"""The reference page of the API, for developers."""
