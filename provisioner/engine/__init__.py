"""What runs in a process of its own, where pyinfra and gevent change how Python waits."""
