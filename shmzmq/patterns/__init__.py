"""How each socket type routes: fair queueing, load balancing, distribution, and one file a type."""
