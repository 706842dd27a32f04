"""What sockets keep of their endpoints, by what carries them: a worker, or this process itself."""
