"""`python -m rlsweep`: the same as the `rlsweep` command."""

import sys

from rlsweep.cli import main

sys.exit(main())
