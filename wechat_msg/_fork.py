"""A lock that keeps a process from forking while a thread imports a module."""

import os
import threading

__all__ = ["importing"]

#: To be held by a thread that imports a module when it is first needed: the process does not fork meanwhile. The child
#: could never import that module, as it would wait for a thread that it does not have.
importing = threading.RLock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=importing.acquire, after_in_parent=importing.release, after_in_child=importing.release)
