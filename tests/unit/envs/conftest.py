import sys
from pathlib import Path

# `tiny` is named in environment specs, as a user's own module would be: `tiny:LeastLost`
sys.path.insert(0, str(Path(__file__).parent))
