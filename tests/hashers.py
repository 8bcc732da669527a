"""Password hashing that takes no time."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """The product's algorithm with one iteration: any process verifies its hashes."""

    iterations = 1
