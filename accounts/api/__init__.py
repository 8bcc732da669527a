"""What all apps' APIs share: authentication, permissions, fleet scoping and rate limits."""
