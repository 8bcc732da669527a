"""The request budget: every request to Smartcar passes `gate`, is let through, put off or refused there, and counted.

What limits: the application's bucket (`bucket`), what Smartcar told us to wait (`waits`), a breaker for each of its
hosts (`breaker`), and each car's monthly allowance (`usage`). Shared by all processes through Redis; without Redis
each process goes on with a share of its own (`shared`).
"""
