"""DENSECLI_PEERS may name the site-packages of another environment, with other programs to compare with."""

import os
import sys

if place := os.environ.get("DENSECLI_PEERS"):
    sys.path.append(place)  # behind our own libraries
