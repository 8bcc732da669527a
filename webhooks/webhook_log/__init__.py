"""Looking at the inbox: what came, what became of it, and processing it again."""
