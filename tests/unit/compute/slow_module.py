"""Takes a while to import, as a large package does."""

import time

time.sleep(2)
