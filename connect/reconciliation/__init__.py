"""Our connections and subscriptions against Smartcar's own lists, nightly: drift is healed and reported."""
