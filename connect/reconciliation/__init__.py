"""Nightly reconciliation of connections and subscriptions with Smartcar's lists: repairs and reports discrepancies."""
