"""The demo's emails: stored in a folder instead of being sent, and shown on a page of the demo."""
