"""Becomes ugreen-py again, with the same arguments. Runs only where the dynamic loader left out what ugreen-py wants to have preloaded; ugreen-py then loads libpython."""

import os
import sys

host = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ugreen-py")
os.execv(host, [sys.orig_argv[0], *sys.argv[1:]])
