"""Puts pip into an empty virtual environment from what Python and the package index have, for ansible-test, which would fetch its own script."""

import subprocess
import sys

# pip takes its options from the environment, and a variable of that name means something else to ensurepip.
subprocess.check_call([sys.executable, "-I", "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
raise SystemExit(subprocess.call([sys.executable, "-m", "pip", "install", *wanted]))
