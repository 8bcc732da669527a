"""The request budget: every request to Smartcar passes `middleware`, where it is admitted or deferred, and counted.

The limits are the application's bucket (`bucket`), waits that Smartcar requested (`cooldowns`), a circuit breaker for
each of Smartcar's hosts (`breaker`), and each vehicle's monthly limit (`priority.UsageMeter`). All processes share them
through Redis. Without Redis, each process continues with a share of its own (`redis_fallback`).
"""
